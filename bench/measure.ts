import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { commandLineOf } from "../sandbox/processes";
import { partOfPulumi } from "../sandbox/pulumiProcesses";
import { lastLines } from "../toolchain/command";
import { statOf } from "../toolchain/processes";

/** One step of a tool: the words of a command, or a pipe for bash. */
export interface Command {
  readonly words: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Exit codes that mean success; kubectl diff says 1 where something differs. */
  readonly allowed?: readonly number[];
  /** Asked when its turn has come: whether those before it have left it nothing to do. */
  readonly unless?: () => boolean;
}

export interface Measurement {
  readonly seconds: number;
  readonly peakBytes: number;
  /** Processor time by program, which another's work on the machine lengthens little. What lived for a moment is not in it. */
  readonly cpu: Readonly<Record<string, number>>;
}

/** What was last seen of one process. */
interface Seen {
  readonly name: string;
  readonly peakBytes: number;
  readonly cpu: number;
}

/** Often enough to see the peak, and seldom enough to cost nothing that would show. */
const LOOK_MS = 250;

const running = new Set<ChildProcess>();

/** Runs the commands one after the other; what they say goes to the log and is shown only where one fails. */
export async function measure(commands: readonly Command[], log: string): Promise<Measurement> {
  const begun = process.hrtime.bigint();
  let peakBytes = 0;
  const cpu: Record<string, number> = {};
  for (const command of commands) {
    if (command.unless?.()) continue;
    const seen = await run(command, log);
    const peak = seen.reduce((sum, process) => sum + process.peakBytes, 0);
    peakBytes = Math.max(peakBytes, peak);
    for (const process of seen) cpu[process.name] = (cpu[process.name] ?? 0) + process.cpu;
  }
  return { seconds: Number(process.hrtime.bigint() - begun) / 1e9, peakBytes, cpu };
}

async function run({ words, cwd, env, allowed = [0] }: Command, log: string): Promise<Seen[]> {
  const [program = "", ...args] = words;
  fs.writeFileSync(log, `$ ${words.join(" ")}\n`);
  const out = fs.openSync(log, "a");
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", out, out], detached: true });
  running.add(child);
  const seen = new Map<number, Seen>();
  const timer = setInterval(() => look(child.pid, seen), LOOK_MS);
  try {
    const code = await new Promise<number | string>((done, fail) => {
      child.on("error", fail);
      child.on("exit", (status, signal) => done(status ?? String(signal)));
    });
    if (typeof code === "string" || !allowed.includes(code))
      throw new Error(`${words.join(" ").slice(0, 200)}: exit ${code}\n${lastLines(log, 25)}`);
  } finally {
    clearInterval(timer);
    running.delete(child);
    fs.closeSync(out);
  }
  return [...seen.values()];
}

/** Of /proc/PID/stat: hundredths of a second, as the kernel tells them to every program. */
const TICKS = 100;

/** Notes the highest resident set and the processor time so far of a process and of all below it. */
function look(root: number | undefined, seen: Map<number, Seen>): void {
  for (const pid of root === undefined ? [] : treeOf(root)) {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1];
    const stat = statOf(pid);
    if (!peak || !stat) continue;
    const cpu = (Number(stat[11]) + Number(stat[12])) / TICKS;
    const words = commandLineOf(pid);
    const name = partOfPulumi(words) ?? path.basename(words[0] ?? "");
    seen.set(pid, { name, peakBytes: Number(peak) * 1024, cpu });
  }
}

function treeOf(root: number): number[] {
  const found = [root];
  for (const pid of found) {
    for (const thread of threadsOf(pid))
      found.push(...read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number));
  }
  return found;
}

function threadsOf(pid: number): string[] {
  try {
    return fs.readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Ends what is being measured, with all that it started: Pulumi gives its plugins groups of their own. */
export function endRunning(): void {
  for (const child of running)
    for (const pid of child.pid === undefined ? [] : treeOf(child.pid).reverse())
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended between the look and the signal.
      }
}
