import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";

/** A process beyond doubt: a pid alone may since belong to another one. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
  /** Where the pid counts; a pid of another host or container says nothing here. */
  readonly space: string;
}

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, start: startOf(process.pid) ?? "", space: pidSpace() };
}

/** Undefined when there is no such process, or it has ended and only its parent does not know yet. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const start = startOf(pid);
  return start === undefined ? undefined : { pid, start, space: pidSpace() };
}

/** True, false, or undefined when the process lives where we cannot look. */
export function isAlive(identity: ProcessIdentity): boolean | undefined {
  if (identity.space !== pidSpace()) return undefined;
  return startOf(identity.pid) === identity.start;
}

/** The fields of /proc/PID/stat after the command name, which may itself hold spaces and brackets. Linux only. */
export function statOf(pid: number): string[] | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** The moment a process started, unchanged over its life. */
function startOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    const fields = statOf(pid);
    return fields?.[0] === "Z" || fields?.[0] === "X" ? undefined : fields?.[19];
  }
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

let space: string | undefined;
function pidSpace(): string {
  return (space ??= `${os.hostname()} ${linkOrNothing("/proc/self/ns/pid")}`);
}

function linkOrNothing(file: string): string {
  try {
    return fs.readlinkSync(file);
  } catch {
    return "";
  }
}
