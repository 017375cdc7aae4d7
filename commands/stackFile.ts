import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { ROOT } from "./session";

const fileOf = (stack: string): string => path.join(ROOT, `Pulumi.${stack}.yaml`);

/** Changes lines of a stack's file, and leaves the rest as its authors wrote it. */
function rewrite(stack: string, change: (text: string) => string): void {
  fs.writeFileSync(fileOf(stack), change(fs.readFileSync(fileOf(stack), "utf8")));
}

const configIn = (text: string): Readonly<Record<string, unknown>> =>
  (parse(text) as { config?: Record<string, unknown> } | null)?.config ?? {};

/** Whether the stack's data are kept, and the stack with them. */
export const keepsData = (stack: string): boolean => {
  const profile = configIn(fs.readFileSync(fileOf(stack), "utf8"))["platform:profile"] as { data?: string } | undefined;
  return profile?.data !== "delete";
};

type Mode = "install" | "use";

/** Whether the stack has what the cluster has once. */
export const installsServices = (stack: string): boolean =>
  configIn(fs.readFileSync(fileOf(stack), "utf8"))["platform:clusterServices"] !== "use";

const MODE = /^( *platform:clusterServices:).*$/m;
const DEPLOYERS = /^ *platform:deployers:.*\n(?: +- .*\n)*/m;

export const withMode = (text: string, mode: Mode): string =>
  MODE.test(text)
    ? text.replace(MODE, `$1 ${mode}`)
    : text.replace(/^config:$/m, `config:\n  platform:clusterServices: ${mode}`);

export const deployersIn = (text: string): readonly string[] =>
  (configIn(text)["platform:deployers"] ?? []) as readonly string[];

export function withDeployers(text: string, stacks: readonly string[]): string {
  const without = text.replace(DEPLOYERS, "");
  return stacks.length === 0 ? without : without.replace(MODE, `$&\n  platform:deployers: [${stacks.join(", ")}]`);
}

/** The stack whose services go to another takes that one's place among those that are deployed as an account of their own. */
export function handOver(from: string, to: string): void {
  rewrite(from, (giver) => {
    const stacks = deployersIn(giver).map((each) => (each === to ? from : each));
    if (stacks.length > 0) rewrite(to, (receiver) => withDeployers(withMode(receiver, "install"), stacks));
    return withMode(withDeployers(giver, []), "use");
  });
}

export const writeInstalls = (stack: string): void => rewrite(stack, (text) => withMode(text, "install"));
