import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type RedisMode,
  redisConf,
  sentinelUserTemplate,
  userTemplate,
  usersOf,
} from "../../../components/redisCluster/settings";

const SCRIPTS = resolve(__dirname, "../../../components/redisCluster");

/** Why the scripts cannot be tried here, or nothing. */
export function missingProgram(): string | undefined {
  try {
    for (const program of ["redis-server", "redis-cli"]) execFileSync(program, ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "needs redis-server and redis-cli on PATH";
  }
}

interface Pod {
  readonly processes: Map<string, ChildProcess>;
  stopping: boolean;
}

/** A container is told to stop through its first process; when it is killed, all of it goes. */
function send(container: ChildProcess | undefined, signal: "SIGTERM" | "SIGKILL"): void {
  if (container?.pid) process.kill(signal === "SIGKILL" ? -container.pid : container.pid, signal);
}

/** What the pods of one Redis would run, on loopback addresses of their own: the real servers, the real scripts. */
export class RedisPods {
  readonly dir = mkdtempSync(join(tmpdir(), "redis-pods-"));
  private readonly pods = new Map<number, Pod>();
  private readonly scripts = join(this.dir, "scripts");
  private readonly passwords = join(this.dir, "passwords");

  constructor(
    readonly mode: RedisMode,
    private readonly count: number,
    private readonly net: number,
    private readonly tls = false,
    /** Beside the usual; passwords that were changed are taken within a second, and the rest takes a hand. */
    private readonly more: NodeJS.ProcessEnv = {},
  ) {
    mkdirSync(this.scripts);
    mkdirSync(this.passwords);
    if (tls) this.makeCertificate();
    for (const file of readdirSync(SCRIPTS))
      if (/\.(sh|awk)$/.test(file)) cpSync(join(SCRIPTS, file), join(this.scripts, file));
    writeFileSync(join(this.scripts, "redis.conf"), redisConf(mode, "64Mi", mode === "sentinel" ? count - 1 : 1));
    writeFileSync(join(this.scripts, "users.acl"), userTemplate(mode));
    writeFileSync(join(this.scripts, "sentinel-users.acl"), sentinelUserTemplate());
    for (const user of usersOf(mode)) writeFileSync(join(this.passwords, user), `password-of-${user}`);
  }

  /** One that signs itself, which is enough where no name is checked. */
  makeCertificate(): void {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "tls.key"];
    const args = ["req", "-x509", ...key, "-out", "tls.crt", "-subj", "/CN=test", "-days", "1"];
    execFileSync("openssl", args, { cwd: this.dir, stdio: "ignore" });
    cpSync(join(this.dir, "tls.crt"), join(this.dir, "ca.crt"));
  }

  host = (pod: number): string => `127.${this.net}.0.1${pod}`;

  private env(pod: number): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH,
      MODE: this.mode,
      POD: `redis-${pod}`,
      POD_IP: this.host(pod),
      MACHINE: `machine-${pod % 3}`,
      PEER_FORMAT: `127.${this.net}.0.1%s`,
      SERVICE: this.host(0),
      COUNT: String(this.count),
      MASTER_NAME: "redis",
      SCRIPTS: this.scripts,
      SECRETS: this.passwords,
      ...(this.tls ? { TLS: "true", CERTIFICATES: this.dir, RENEWAL_SECONDS: "1" } : {}),
      FOLLOW_SECONDS: "1",
      SETTLE_SECONDS: "3600",
      OVERLAP_SECONDS: "3600",
      ...this.more,
      DATA: join(this.dir, `data-${pod}`),
      RUN: join(this.dir, `run-${pod}`),
    };
  }

  /** Starts a pod's containers; a container whose process ends is started again, as a kubelet would. */
  start(pod: number): void {
    const entry: Pod = { processes: new Map(), stopping: false };
    this.pods.set(pod, entry);
    for (const dir of ["data", "run"]) mkdirSync(join(this.dir, `${dir}-${pod}`), { recursive: true });
    const bind = ["--bind", this.host(pod)];
    const containers: [string, string[]][] = [["redis", bind]];
    if (this.mode === "sentinel") containers.push(["sentinel", bind]);
    if (this.mode !== "standalone") containers.push(["keeper", []]);
    for (const [name, args] of containers) this.run(pod, entry, name, args);
  }

  private run(pod: number, entry: Pod, name: string, args: readonly string[]): void {
    const child = spawn("sh", [join(this.scripts, `${name}.sh`), ...args], { env: this.env(pod), detached: true });
    const log = (data: Buffer): void => appendFileSync(join(this.dir, `${name}-${pod}.log`), data);
    child.stdout.on("data", log);
    child.stderr.on("data", log);
    entry.processes.set(name, child);
    child.once("exit", () => {
      if (!entry.stopping) setTimeout(() => entry.stopping || this.run(pod, entry, name, args), 500);
    });
  }

  /** The pod's process is gone at once; its container comes back. */
  kill(pod: number, container = "redis", signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): void {
    send(this.pods.get(pod)?.processes.get(container), signal);
  }

  /** The whole pod goes, gracefully or at once, and with it what is not on its volume. */
  async remove(pod: number, graceful = false): Promise<void> {
    const entry = this.pods.get(pod);
    if (!entry) return;
    entry.stopping = true;
    if (graceful) await this.script(pod, "stop.sh");
    await Promise.all(
      [...entry.processes.values()].map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exit = once(child, "exit");
        send(child, graceful ? "SIGTERM" : "SIGKILL");
        await exit;
      }),
    );
    rmSync(join(this.dir, `run-${pod}`), { recursive: true, force: true });
    this.pods.delete(pod);
  }

  /** As a pod that is deleted by force: it runs on, and another may start beside it. Gives what ends it. */
  leave(pod: number): () => void {
    const entry = this.pods.get(pod);
    if (!entry) throw new Error(`pod ${pod} does not run`);
    entry.stopping = true;
    this.pods.delete(pod);
    return () => [...entry.processes.values()].forEach((child) => send(child, "SIGTERM"));
  }

  loseVolume(pod: number): void {
    rmSync(join(this.dir, `data-${pod}`), { recursive: true, force: true });
  }

  /** The Secret is another one from now on. */
  setPassword(user: string, password: string): void {
    writeFileSync(join(this.passwords, user), password);
  }

  /** Whether the server of a pod lets somebody in who has this password. */
  accepts(pod: number, user: string, password: string, server: "redis" | "sentinel" = "redis"): boolean {
    const args = [join(this.scripts, "passwords.sh"), server, "accepts", user];
    return execFileSync("sh", args, { env: this.env(pod), input: password, encoding: "utf8" }).trim() === "yes";
  }

  /** A script as a pod or a Job would run it, with all that it starts; ended in the middle where a time is given. */
  async script(pod: number, file: string, ...args: string[]): Promise<{ code: number; out: string }> {
    return this.scriptFor(undefined, pod, file, ...args);
  }

  async scriptFor(
    ms: number | undefined,
    pod: number,
    file: string,
    ...args: string[]
  ): Promise<{ code: number; out: string }> {
    const run = join(this.dir, "run-job");
    mkdirSync(run, { recursive: true });
    const env = { ...this.env(pod), ...(file === "resize.sh" ? { RUN: run, PATIENCE: "40" } : {}) };
    const child = spawn("sh", [join(this.scripts, file), ...args], { env, detached: true });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (out += data.toString()));
    const timer = setTimeout(() => ms !== undefined && process.kill(-(child.pid ?? 0), "SIGKILL"), ms ?? 0);
    const [code] = (await once(child, "close")) as [number | null];
    clearTimeout(timer);
    return { code: code ?? 137, out };
  }

  /** One command as a user; an error is an answer too, and nothing is the answer of one that cannot be reached. */
  async cli(pod: number, user: string, ...command: string[]): Promise<string> {
    return this.at(this.host(pod), "6379", user, ...command);
  }

  async at(host: string, port: string, user: string, ...command: string[]): Promise<string> {
    const args = ["-h", host, "-p", port, "--user", user, "--no-auth-warning", ...this.secured(), ...command];
    const password = readFileSync(join(this.passwords, user), "utf8");
    return new Promise((done) => {
      execFile(
        "redis-cli",
        args,
        { env: { ...process.env, REDISCLI_AUTH: password }, timeout: 3000 },
        (error, stdout) => done(error ? "" : stdout.trim().replaceAll("\r", "")),
      );
    });
  }

  private secured = (): string[] => (this.tls ? ["--tls", "--cacert", join(this.dir, "ca.crt")] : []);

  /** Many commands over one connection, each answered by a line. */
  async lines(pod: number, user: string, commands: readonly string[]): Promise<string[]> {
    const login = { ...process.env, REDISCLI_AUTH: readFileSync(join(this.passwords, user), "utf8") };
    const client = spawn(
      "redis-cli",
      ["-c", "-h", this.host(pod), "--user", user, "--no-auth-warning", ...this.secured()],
      {
        env: login,
      },
    );
    let out = "";
    client.stdout.on("data", (data: Buffer) => (out += data.toString()));
    client.stdin.end(`${commands.join("\n")}\n`);
    await once(client, "close");
    return out
      .trimEnd()
      .split("\n")
      .filter((line) => !line.startsWith("-> Redirected"));
  }

  /** One connection that stays, asked one thing after the other. */
  connect(pod: number, user: string): { ask: (command: string) => Promise<string>; end: () => void } {
    const env = { ...process.env, REDISCLI_AUTH: readFileSync(join(this.passwords, user), "utf8") };
    const args = ["-h", this.host(pod), "--user", user, "--no-auth-warning", ...this.secured()];
    const client = spawn("redis-cli", args, { env });
    const ask = async (command: string): Promise<string> => {
      client.stdin.write(`${command}\n`);
      const [data] = (await once(client.stdout, "data")) as [Buffer];
      return data.toString().trim();
    };
    return { ask, end: () => void client.kill() };
  }

  async info(pod: number): Promise<Record<string, string>> {
    const text = await this.cli(pod, "keeper", "INFO", "replication");
    return Object.fromEntries([...text.matchAll(/^(\w+):(.*)$/gm)].map(([, key = "", value = ""]) => [key, value]));
  }

  async masters(): Promise<number[]> {
    const all = await Promise.all(
      [...this.pods.keys()].map(async (pod) => ({ pod, role: (await this.info(pod)).role })),
    );
    return all.filter(({ role }) => role === "master").map(({ pod }) => pod);
  }

  log(pod: number, container = "keeper"): string {
    if (!existsSync(join(this.dir, `${container}-${pod}.log`))) return "";
    return readFileSync(join(this.dir, `${container}-${pod}.log`), "utf8");
  }

  running = (): number[] => [...this.pods.keys()];

  async end(): Promise<void> {
    await Promise.all(this.running().map((pod) => this.remove(pod)));
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Waits until `look` gives something, and gives it. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(100);
  }
}
