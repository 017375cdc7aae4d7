import * as fs from "node:fs";
import * as path from "node:path";
import { PROGRAM_ITEMS } from "../commands/session";
import { ensure } from "../toolchain";
import { readLock } from "../toolchain/lock";
import type { Contender } from "./contender";
import { conftest, kubeScore, kyverno } from "./contenders/checkers";
import { helm } from "./contenders/helm";
import { cdk8s, kubectl, kustomize } from "./contenders/kubectl";
import { ours, oursFast, plain } from "./contenders/pulumi";
import { tofu } from "./contenders/tofu";
import { packages } from "./packages";

export const CONTENDERS = [
  "ours",
  "oursFast",
  "plain",
  "kubectl",
  "kustomize",
  "helm",
  "cdk8s",
  "tofu",
  "kyverno",
  "conftest",
  "kube-score",
] as const;
export type Name = (typeof CONTENDERS)[number];

interface Base {
  readonly bin: (name: string) => string;
  readonly contenders: readonly Contender[];
}

/** What every run needs. Fails where it is not to be had. */
const SERVER_ITEMS = ["etcd", "kubernetes", "kubectl"];

/** Brings the tools to this machine. A contender that cannot be had stays in the list, with the reason. */
export async function obtainContenders(names: readonly Name[], say: (line: string) => void): Promise<Base> {
  const toolchain = await ensure([...new Set([...PROGRAM_ITEMS, ...SERVER_ITEMS])]);
  const { items } = readLock();
  const version = (item: string): string => items[item]?.version ?? "";
  const pulumi = `${version("pulumi")}, plugin ${version("plugin-kubernetes")}`;
  const control = toolchain.bin("kubectl");
  const makers: Record<Name, () => Promise<Contender>> = {
    ours: () => Promise.resolve(ours(toolchain, pulumi)),
    oursFast: () => Promise.resolve(oursFast(toolchain, pulumi)),
    plain: async () => plain(toolchain, await packages("plain", say), pulumi),
    kubectl: () => Promise.resolve(kubectl(control, version("kubectl"))),
    kustomize: () => Promise.resolve(kustomize(control, version("kubectl"))),
    cdk8s: async () => {
      const program = path.join(__dirname, "programs", "cdk8s", "main.js");
      return cdk8s(control, await packages("cdk8s", say), program, versionOfPackage("cdk8s"));
    },
    helm: () => built("helm", (tool, of) => helm(tool("helm"), of("helm"))),
    tofu: () =>
      built("tofu", (tool, of) => tofu(tool("tofu"), tool("terraform-provider-kubernetes"), of("tofu")), [
        "tofu-kubernetes",
      ]),
    kyverno: () => built("kyverno", (tool, of) => kyverno(tool("kyverno"), of("kyverno"))),
    conftest: () => built("conftest", (tool, of) => conftest(tool("conftest"), of("conftest"))),
    "kube-score": () => built("kube-score", (tool, of) => kubeScore(tool("kube-score"), of("kube-score"))),
  };
  const contenders: Contender[] = [];
  for (const name of names) contenders.push(await makers[name]().catch((error: Error) => absent(name, error, say)));
  return { bin: (name) => toolchain.bin(name), contenders };
}

const LOCK = path.join(__dirname, "lock.json");

/** A contender's own tools: built as the platform's are, and kept in the same cache by their content. */
async function built(
  item: string,
  make: (tool: (name: string) => string, version: (item: string) => string) => Contender,
  more: readonly string[] = [],
): Promise<Contender> {
  const lock = readLock(LOCK);
  const toolchain = await ensure([item, ...more], { lock, recipes: path.join(__dirname, "go") });
  return make(
    (name) => toolchain.bin(name),
    (name) => lock.items[name]?.version ?? "",
  );
}

function absent(name: Name, error: Error, say: (line: string) => void): Contender {
  const reason = error.message.split("\n").slice(0, 3).join(" ").trim();
  say(`${name} is left out: ${reason}`);
  return { name, what: "", absent: reason, steps: () => [] };
}

function versionOfPackage(program: string): string {
  const file = path.join(__dirname, "programs", program, "package.json");
  const { dependencies } = JSON.parse(fs.readFileSync(file, "utf8")) as { dependencies: Record<string, string> };
  return dependencies[program] ?? "";
}
