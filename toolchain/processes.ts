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

export function identityOf(pid: number): ProcessIdentity {
  return { pid, start: startOf(pid) ?? "", space: pidSpace() };
}

/** True, false, or undefined when the process lives where we cannot look. */
export function isAlive(identity: ProcessIdentity): boolean | undefined {
  if (identity.space !== pidSpace()) return undefined;
  return startOf(identity.pid) === identity.start;
}

/** The start time of a running process, unchanged over its life; undefined when there is none, or only a zombie. */
function startOf(pid: number): string | undefined {
  try {
    if (process.platform === "linux") {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return fields[0] === "Z" ? undefined : fields[19];
    }
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
