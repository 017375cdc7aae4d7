import * as fs from "node:fs";
import { type ProcessIdentity, identityOf, isAlive, statOf } from "../toolchain/processes";

/** Every process of a sandbox carries this variable with the sandbox's directory, so that none can be lost. */
export const MARKER = "PLATFORM_SANDBOX_DIR";

const numericEntries = (): number[] =>
  (fs.existsSync("/proc") ? fs.readdirSync("/proc") : []).filter((entry) => /^\d+$/.test(entry)).map(Number);

export function childrenOf(pid: number): number[] {
  return numericEntries().filter((candidate) => parentOf(candidate) === pid);
}

const parentOf = (pid: number): number => Number(statOf(pid)?.[1] ?? 0);

/** From the parent up. */
export function ancestorsOf(pid: number): number[] {
  const found: number[] = [];
  for (let above = parentOf(pid); above > 0 && !found.includes(above); above = parentOf(above)) found.push(above);
  return found;
}

/** What a process that has ended by now, or is not ours to look at, says of itself is nothing. */
function wordsIn(pid: number, file: "environ" | "cmdline"): string[] {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0");
  } catch {
    return [];
  }
}

export const commandLineOf = (pid: number): string[] => wordsIn(pid, "cmdline");

/** The living processes, in any namespace, that started with one of these variables (NAME=value). Whoever asks is never among them, nor what it was started from. */
export function carrying(variables: readonly string[]): ProcessIdentity[] {
  const above = new Set([process.pid, ...ancestorsOf(process.pid)]);
  return numericEntries()
    .filter((pid) => !above.has(pid) && wordsIn(pid, "environ").some((variable) => variables.includes(variable)))
    .flatMap((pid) => identityOf(pid) ?? []);
}

/** All of the sandbox in `dir`. */
export const processesOf = (dir: string): ProcessIdentity[] => carrying([`${MARKER}=${dir}`]);

/** The living process whose command line has all these words. */
export function findByArguments(words: readonly string[]): ProcessIdentity | undefined {
  for (const pid of numericEntries()) {
    const commandLine = commandLineOf(pid);
    if (pid !== process.pid && words.every((word) => commandLine.includes(word))) return identityOf(pid);
  }
  return undefined;
}

export function signal(id: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, name);
  } catch {
    // It ended between the look and the signal.
  }
}

export const sleep = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

/** Resolves to whether the condition came true in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  everyMs = 100,
): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() >= end) return false;
    await sleep(everyMs);
  }
}
