import * as fs from "node:fs";

/** Every process of a sandbox carries this variable with the sandbox's directory, so that none can be lost. */
export const MARKER = "PLATFORM_SANDBOX_DIR";

/** A process told apart from a later one with the same number by the moment it started. */
export interface ProcessId {
  readonly pid: number;
  readonly startTime: string;
}

const numericEntries = (): number[] =>
  fs
    .readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);

/** The fields of /proc/PID/stat after the command name, which may itself hold spaces and brackets. */
function stat(pid: number): string[] | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

export function identify(pid: number): ProcessId | undefined {
  const fields = stat(pid);
  const [state, startTime] = [fields?.[0], fields?.[19]];
  if (!startTime || state === "Z" || state === "X") return undefined;
  return { pid, startTime };
}

export const isAlive = (id: ProcessId): boolean => identify(id.pid)?.startTime === id.startTime;

export function childrenOf(pid: number): number[] {
  return numericEntries().filter((candidate) => stat(candidate)?.[1] === String(pid));
}

/** All living processes, in any namespace, that belong to the sandbox in `dir`. */
export function processesOf(dir: string): ProcessId[] {
  const wanted = `${MARKER}=${dir}`;
  return numericEntries().flatMap((pid) => {
    if (pid === process.pid) return [];
    try {
      if (!fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(wanted)) return [];
    } catch {
      return [];
    }
    return identify(pid) ?? [];
  });
}

/** The living process whose command line has all these words. */
export function findByArguments(words: readonly string[]): ProcessId | undefined {
  for (const pid of numericEntries()) {
    try {
      const commandLine = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (pid !== process.pid && words.every((word) => commandLine.includes(word))) return identify(pid);
    } catch {
      // It ended while we looked.
    }
  }
  return undefined;
}

export function signal(id: ProcessId, name: NodeJS.Signals): void {
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
