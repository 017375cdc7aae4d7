import { spawn } from "node:child_process";
import * as os from "node:os";
import { ROOT } from "./session";

export interface Run {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Takes what it says; without, that goes to the screen. */
  readonly hear?: (text: string) => void;
  /** Waits behind whoever is less patient. */
  readonly patient?: boolean;
}

const PATIENT = 10;

/** Its exit code. */
export function run(
  command: string,
  args: readonly string[],
  { cwd = ROOT, env, hear, patient }: Run = {},
): Promise<number> {
  return new Promise((done, broken) => {
    const to = hear ? "pipe" : "inherit";
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", to, to] });
    if (patient && child.pid) os.setPriority(child.pid, PATIENT);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => hear?.(text));
    child.on("error", broken);
    child.on("close", (code) => done(code ?? 1));
  });
}
