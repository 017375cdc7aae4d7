import { spawn } from "node:child_process";

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly all: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs a command to its end; a run over its time is killed and says so. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    let all = "";
    const timer = setTimeout(() => {
      err += `\n(killed after ${options.timeoutMs} ms)`;
      child.kill("SIGKILL");
    }, options.timeoutMs ?? 600_000);
    child.stdout.on("data", (data: Buffer) => ((out += data.toString()), (all += data.toString())));
    child.stderr.on("data", (data: Buffer) => ((err += data.toString()), (all += data.toString())));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.on("error", fail);
    child.on("close", (code) => {
      clearTimeout(timer);
      done({ code: code ?? 137, out, err, all });
    });
  });
}
