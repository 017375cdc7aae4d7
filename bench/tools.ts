import * as fs from "node:fs";
import * as path from "node:path";
import { PROGRAM_ITEMS } from "../commands/session";
import { ensure } from "../toolchain";
import { readLock } from "../toolchain/lock";
import type { Contender } from "./contender";
import { kubeScore } from "./contenders/checkers";
import { helm } from "./contenders/helm";
import { cdk8s, kubectl, kustomize } from "./contenders/kubectl";
import { ours, oursFast, plain } from "./contenders/pulumi";
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

const NO_TOFU =
  "its Kubernetes provider takes these objects from version 2.5 on (kubernetes_manifest), and the Go module proxy has none after 1.13";
const NO_RECIPE = "it has no recipe in bench/go yet";

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
    helm: () => built("helm", helm),
    tofu: () => Promise.reject(new Error(NO_TOFU)),
    kyverno: () => Promise.reject(new Error(NO_RECIPE)),
    conftest: () => Promise.reject(new Error(NO_RECIPE)),
    "kube-score": () => built("kube-score", kubeScore),
  };
  const contenders: Contender[] = [];
  for (const name of names) contenders.push(await makers[name]().catch((error: Error) => absent(name, error, say)));
  return { bin: (name) => toolchain.bin(name), contenders };
}

const LOCK = path.join(__dirname, "lock.json");

/** A contender's own tool: built as the platform's are, and kept in the same cache by its content. */
async function built(item: string, make: (file: string, version: string) => Contender): Promise<Contender> {
  const lock = readLock(LOCK);
  const toolchain = await ensure([item], { lock, recipes: path.join(__dirname, "go") });
  return make(toolchain.bin(item), lock.items[item]?.version ?? "");
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
