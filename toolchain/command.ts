import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import { type ProcessIdentity, identityOf, isAlive } from "./processes";

interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Output is appended here. */
  readonly log: string;
  /** Holds the child's identity while it runs, so that a later run can end what a killed one left behind. */
  readonly record?: string;
}

const running = new Set<ChildProcess>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a command to its end, its output in a log. It leads a process group of its own: ending this process by a
 * signal ends the whole group, compilers included.
 */
export async function runLogged(command: readonly string[], options: CommandOptions): Promise<void> {
  const [program = "", ...args] = command;
  const log = fs.openSync(options.log, "a");
  fs.writeSync(log, `$ ${command.join(" ")}\n`);
  // Before the child starts: a signal in between would end this process alone.
  watchSignals();
  try {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ["ignore", log, log],
      detached: true,
    });
    running.add(child);
    const ended = new Promise<string | undefined>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) =>
        resolve(code === 0 ? undefined : signal ? `ended by ${signal}` : `exit code ${code}`),
      );
    });
    if (child.pid !== undefined) {
      lowerPriority(child.pid);
      const identity = identityOf(child.pid);
      if (options.record && identity) fs.writeFileSync(options.record, JSON.stringify(identity));
    }
    const failure = await ended;
    running.delete(child);
    if (options.record) fs.rmSync(options.record, { force: true });
    if (failure) throw new Error(`${command.slice(0, 3).join(" ")}: ${failure}`);
  } finally {
    unwatchSignals();
    fs.closeSync(log);
  }
}

/** Ends the process group that a run which was itself killed has left, going by its record. */
export function endLeftover(record: string): void {
  let identity: ProcessIdentity;
  try {
    identity = JSON.parse(fs.readFileSync(record, "utf8")) as ProcessIdentity;
  } catch {
    return;
  }
  if (isAlive(identity)) killGroup(identity.pid);
  fs.rmSync(record, { force: true });
}

/** The end of a log, for an error message. */
export function lastLines(file: string, count = 20): string {
  try {
    return fs.readFileSync(file, "utf8").trimEnd().split("\n").slice(-count).join("\n");
  } catch {
    return "";
  }
}

function lowerPriority(pid: number): void {
  try {
    os.setPriority(pid, 5);
  } catch {
    // Already ended, or not allowed: a build at normal priority is still a build.
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing left of it.
  }
}

function killAll(): void {
  for (const child of running) if (child.pid !== undefined) killGroup(child.pid);
}

/** Ends the children, then lets the signal do what it would have done without us. */
function onSignal(signal: NodeJS.Signals): void {
  killAll();
  process.removeListener(signal, onSignal);
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

let watching = 0;

function watchSignals(): void {
  if (watching++ > 0) return;
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on("exit", killAll);
}

function unwatchSignals(): void {
  if (--watching > 0) return;
  for (const signal of SIGNALS) process.removeListener(signal, onSignal);
  process.removeListener("exit", killAll);
}
