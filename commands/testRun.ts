import { spawn } from "node:child_process";
import { ROOT } from "./session";

export interface Run {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Takes what it says; without, that goes to the screen. */
  readonly hear?: (text: string) => void;
}

/** Its exit code. */
export function run(command: string, args: readonly string[], { cwd = ROOT, env, hear }: Run = {}): Promise<number> {
  return new Promise((done, broken) => {
    const to = hear ? "pipe" : "inherit";
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", to, to] });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => hear?.(text));
    child.on("error", broken);
    child.on("close", (code) => done(code ?? 1));
  });
}
