import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const PASSWORD = "correct-horse";

/** Where redis-server is, or why tests that need it are skipped. */
export function redisProgram(): { path: string } | { skip: string } {
  const path = process.env.REDIS_SERVER ?? "redis-server";
  try {
    execFileSync(path, ["--version"], { stdio: "ignore" });
    return { path };
  } catch {
    return { skip: `cannot run ${path}: put redis-server on PATH or its path into REDIS_SERVER` };
  }
}

/** A real Redis of its own that keeps its data over a restart and can be made to fall silent. */
export class RedisServer {
  readonly #directory = mkdtempSync(join(tmpdir(), "visit-tracker-"));
  #process: ChildProcess | undefined;

  private constructor(
    readonly program: string,
    readonly port: number,
    readonly extra: readonly string[],
  ) {}

  static async start(program: string, extra: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(program, await freePort(), extra);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const files = ["--dir", this.#directory, "--appendonly", "yes", "--appendfsync", "always"];
    // A user with the least rights this service needs.
    const app = ["--user", "app", "on", `>${PASSWORD}`, "~visit-tracker:*", "+get", "+incr", "+ping", "+cluster|slots"];
    const users = [...app, "--user", "default", "off"];
    const args = ["--bind", "127.0.0.1", "--port", String(this.port), "--save", "", ...files, ...users];
    this.#process = spawn(this.program, [...args, ...this.extra], { stdio: "ignore" });
    for (let tries = 0; tries < 100; tries++) {
      if (await accepts(this.port)) return;
      await sleep(50);
    }
    throw new Error(`${this.program} does not listen on port ${this.port}`);
  }

  /** What the server answers to an administrator. */
  command(...words: string[]): string {
    const login = { ...process.env, REDISCLI_AUTH: PASSWORD };
    const args = ["-p", String(this.port), "--user", "admin", "--no-auth-warning", ...words];
    return execFileSync(join(dirname(this.program), "redis-cli"), args, { env: login, encoding: "utf8" }).trim();
  }

  silence(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (!running || running.exitCode !== null) return;
    running.kill("SIGKILL");
    await once(running, "exit");
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** Waits for something to become true, and says what did not. */
export async function eventually(what: string, check: () => Promise<boolean>, withinMs = 5000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(50);
  }
}
