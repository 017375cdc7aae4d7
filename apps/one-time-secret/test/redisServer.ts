import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const PASSWORD = "correct-horse";
/** All that this service may do, which is what its README asks for. */
export const RIGHTS =
  "~one-time-secret:* +ping +eval +wait +info +get +set +exists +hget +hmget +hset +hsetnx +hincrby +del +pexpire +pttl +cluster|slots";

/** Where redis-server is, or why tests that need it are skipped. */
export function redisProgram(): { path: string; skip: false | string } {
  const path = process.env.REDIS_SERVER ?? "redis-server";
  try {
    execFileSync(path, ["--version"], { stdio: "ignore" });
    return { path, skip: false };
  } catch {
    return { path, skip: `cannot run ${path}: put redis-server on PATH or its path into REDIS_SERVER` };
  }
}

/** A real Redis of its own that keeps its data over a restart, and can be made to fall silent. */
export class RedisServer {
  readonly #directory = mkdtempSync(join(tmpdir(), "one-time-secret-"));
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
    const place = ["--dir", this.#directory, "--bind", "127.0.0.1", "--port", String(this.port)];
    const keep = ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--repl-diskless-sync-delay", "0"];
    const app = ["--user", "app", "on", `>${PASSWORD}`, ...RIGHTS.split(" ")];
    const admin = ["--user", "admin", "on", `>${PASSWORD}`, "~*", "&*", "+@all"];
    // Without its rights, which nobody can use, Redis would not read back what scripts wrote.
    const nobody = ["--user", "default", "off", "~*", "&*", "+@all"];
    const users = [...app, ...admin, ...nobody, "--masteruser", "admin", "--masterauth", PASSWORD];
    this.#process = spawn(this.program, [...place, ...keep, ...users, ...this.extra], { stdio: "ignore" });
    await eventually(`${this.program} listens on port ${this.port}`, () => accepts(this.port));
  }

  /** What the server answers to an administrator. */
  command(...words: string[]): string {
    const login = { ...process.env, REDISCLI_AUTH: PASSWORD };
    const args = ["-p", String(this.port), "--user", "admin", "--no-auth-warning", ...words];
    return execFileSync(join(dirname(this.program), "redis-cli"), args, { env: login, encoding: "utf8" }).trim();
  }

  follow(master: RedisServer): Promise<void> {
    this.command("REPLICAOF", "127.0.0.1", String(master.port));
    return eventually("the replica follows", () => this.says(/master_link_status:up/));
  }

  says(state: RegExp): Promise<boolean> {
    return Promise.resolve(state.test(this.command("INFO", "replication")));
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
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

export async function eventually(what: string, check: () => Promise<boolean>, withinMs = 15_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await check().catch(() => false))) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(50);
  }
}
