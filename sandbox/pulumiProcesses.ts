import * as path from "node:path";
import type { ProcessIdentity } from "../toolchain/processes";
import { filesOf } from "./layout";
import { ancestorsOf, carrying, commandLineOf, signal, until } from "./processes";

/**
 * Pulumi starts its plugins in process groups of their own: they outlive a kill of Pulumi by minutes and go on writing.
 * What our commands start is known by this variable, with the backend it works on; what was typed by hand by the backend
 * and its name, because the shell it was typed in, and all else that runs there, carries the same variables.
 */
export const RUN_MARKER = "PLATFORM_PULUMI_RUN";

export interface PulumiProcess extends ProcessIdentity {
  readonly name: string;
}

/** Where the state of a local cluster is. */
export const backendOf = (dir: string): string => `file://${filesOf(dir).state}`;

const ENGINE = "pulumi";
const PLUGIN = /^pulumi-(resource-[\w-]+|analyzer-[\w-]+|language-nodejs)$/;
const NODE_ENTRY = /\/@pulumi\/pulumi\/cmd\/([\w-]+)/;

/** What part of Pulumi a command line starts; scripts stand behind their interpreter. */
export function partOfPulumi([command = "", script = "", ...rest]: readonly string[]): string | undefined {
  const [program, inner] = [path.basename(command), path.basename(script)];
  const found = /^(ba|da)?sh$|^node$/.test(program) ? inner : program;
  if (found === ENGINE || PLUGIN.test(found)) return found;
  if (program !== "node") return undefined;
  const [, entry] = [script, ...rest].flatMap((word) => NODE_ENTRY.exec(word) ?? []);
  return entry;
}

/** Whether the process is Pulumi itself. */
export const isPulumi = (pid: number): boolean => partOfPulumi(commandLineOf(pid)) === ENGINE;

/** All of Pulumi that works on a backend, save what this process was itself started from. */
export function pulumiProcesses(backend: string): PulumiProcess[] {
  const marker = `${RUN_MARKER}=${backend}`;
  const ours = new Set(carrying([marker]).map(({ pid }) => pid));
  return carrying([marker, `PULUMI_BACKEND_URL=${backend}`]).flatMap((found) => {
    const words = commandLineOf(found.pid);
    const name = partOfPulumi(words) ?? (ours.has(found.pid) ? path.basename(words[0] ?? "") : undefined);
    return name ? [{ ...found, name }] : [];
  });
}

/** Those whose Pulumi is gone: no one waits for what they do. A run in another terminal stands above its own. */
export function leftovers(backend: string): PulumiProcess[] {
  return pulumiProcesses(backend).filter(({ pid }) => ![pid, ...ancestorsOf(pid)].some(isPulumi));
}

/** Ends what `find` gives until it gives nothing more. */
export async function endProcesses(find: () => PulumiProcess[], say: (line: string) => void): Promise<void> {
  const named = (found: readonly PulumiProcess[]): string =>
    found.map(({ name, pid }) => `${name} (${pid})`).join(", ");
  const first = find();
  if (first.length === 0) return;
  say(`ending processes of Pulumi that nobody needs any more: ${named(first)}`);
  const gone = await until(() => {
    const found = find();
    for (const each of found) signal(each, "SIGKILL");
    return found.length === 0;
  }, 10_000);
  if (!gone) throw new Error(`processes of Pulumi do not end: ${named(find())}; look at them with ps, then try again`);
}
