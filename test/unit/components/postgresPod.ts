import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pgHba, postgresqlConf } from "../../../components/postgres/settings";

const SCRIPTS = resolve(__dirname, "../../../components/postgres");
const BINARIES = "/usr/lib/postgresql/15/bin";
const PATH = `${BINARIES}:${process.env.PATH}`;
/** Postgres refuses to run as root. */
const USERS = ["postgres", "nobody"];

interface Owner {
  readonly name: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** Why the scripts cannot be tried here, or nothing. */
export function missingProgram(): string | undefined {
  const programs = ["postgres", "initdb", "psql", "pg_isready", "openssl"];
  const missing = programs.filter((name) => spawnSync(name, ["--version"], { env: { PATH } }).error);
  return missing.filter((name) => name !== "openssl" || spawnSync("openssl", ["version"]).error).length > 0
    ? `needs ${programs.join(", ")} on PATH or in ${BINARIES}`
    : undefined;
}

function owner(): Owner {
  if (process.getuid?.() !== 0) return { name: execFileSync("id", ["-un"], { encoding: "utf8" }).trim() };
  const entries = readFileSync("/etc/passwd", "utf8").split("\n");
  const found = USERS.flatMap((user) => entries.filter((line) => line.startsWith(`${user}:`)))[0] ?? "";
  const [name = "", , uid, gid] = found.split(":");
  return { name, uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

export interface Said {
  readonly code: number;
  readonly out: string;
}

/** What the pod of one Postgres would run, in a folder and on a port of its own: the real server, the real scripts. */
export class PostgresPod {
  readonly dir = mkdtempSync(join(tmpdir(), "postgres-pod-"));
  private readonly as = owner();
  private readonly processes = new Map<string, ChildProcess>();
  private readonly places = {
    files: join(this.dir, "files"),
    certificates: join(this.dir, "certificates"),
    socket: join(this.dir, "socket"),
    tmp: join(this.dir, "tmp"),
  };

  private constructor(readonly port: number) {
    const folders = [...Object.values(this.places), ...["logins", "data"].map((each) => this.at(each))];
    for (const folder of folders) mkdirSync(folder);
    for (const file of readdirSync(SCRIPTS))
      if (/\.(sh|sql)$/.test(file)) cpSync(join(SCRIPTS, file), join(this.places.files, file));
    const size = { memory: "256Mi", storage: "512Mi", connections: 30 };
    writeFileSync(join(this.places.files, "postgresql.conf"), postgresqlConf(size, this.places));
    writeFileSync(join(this.places.files, "pg_hba.conf"), pgHba());
    this.certify();
    this.login("admin", "password-of-admin");
    this.own(this.dir);
  }

  static make = async (): Promise<PostgresPod> => new PostgresPod(await freePort());

  private readonly at = (...parts: string[]): string => join(this.dir, ...parts);

  private own(path: string): void {
    if (this.as.uid !== undefined) execFileSync("chown", ["-R", `${this.as.uid}:${this.as.gid}`, path]);
  }

  /** A new certificate, for localhost, that signs itself. */
  certify(): void {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "tls.key"];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const cwd = this.places.certificates;
    execFileSync("openssl", ["req", "-x509", ...key, "-out", "tls.crt", ...names, "-days", "1"], {
      cwd,
      stdio: "ignore",
    });
    chmodSync(join(cwd, "tls.key"), 0o600);
    this.own(cwd);
  }

  /** A login, by the name of its file. */
  login(name: string, password: string): void {
    const file = this.at("logins", name);
    writeFileSync(file, password, { mode: 0o600 });
    if (this.as.uid !== undefined) chownSync(file, this.as.uid, this.as.gid ?? 0);
  }

  forget = (name: string): void => rmSync(this.at("logins", name));

  private get env(): NodeJS.ProcessEnv {
    const { files, certificates, socket, tmp } = this.places;
    const places = { FILES: files, CERTIFICATES: certificates, SOCKET: socket, TMP: tmp };
    const more = { LOGINS: this.at("logins"), DATA: this.at("data") };
    return { PATH, LC_ALL: "C.UTF-8", PGPORT: String(this.port), PAUSE: "0.3", OWN: "admin", ...places, ...more };
  }

  private spawn(name: string, args: readonly string[]): ChildProcess {
    const { uid, gid } = this.as;
    return spawn("sh", [join(this.places.files, `${name}.sh`), ...args], { env: this.env, uid, gid, cwd: this.dir });
  }

  start(name: "server" | "keeper"): ChildProcess {
    const child = this.spawn(name, name === "server" ? ["-c", `port=${this.port}`] : []);
    const log = (data: Buffer): void => appendFileSync(this.at(`${name}.log`), data);
    child.stdout?.on("data", log);
    child.stderr?.on("data", log);
    this.processes.set(name, child);
    return child;
  }

  async stop(name: string, signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.processes.get(name);
    this.processes.delete(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, "exit") as Promise<[number | null]>;
    child.kill(signal);
    return (await ended)[0];
  }

  /** As a kill of the whole container: nothing gets to end by itself. */
  async kill(): Promise<void> {
    const shell = this.processes.get("server");
    const file = this.at("data", "postgres", "postmaster.pid");
    const pid = existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) : undefined;
    if (pid) process.kill(pid, "SIGKILL");
    if (shell && shell.exitCode === null) await once(shell, "exit");
    this.processes.delete("server");
  }

  async script(name: string, ...args: string[]): Promise<number> {
    const [code] = (await once(this.spawn(name, args), "exit")) as [number];
    return code;
  }

  /** What a client of this pod's user gets to hear. */
  psql(settings: Readonly<Record<string, string>>, statement: string): Said {
    const { uid, gid } = this.as;
    const connection = Object.entries({ port: String(this.port), connect_timeout: "5", ...settings });
    const dsn = connection.map(([key, value]) => `${key}='${value}'`).join(" ");
    const { status, stdout, stderr } = spawnSync("psql", ["-XqAt", dsn, "-c", statement], {
      env: { PATH, LC_ALL: "C.UTF-8" },
      encoding: "utf8",
      uid,
      gid,
      cwd: this.dir,
    });
    return { code: status ?? 1, out: `${stdout}${stderr}`.trim() };
  }

  /** Over the network, as an application does. */
  client(user: string, password: string, database: string, statement = "SELECT 1", change: object = {}): Said {
    const trust = { sslmode: "verify-full", sslrootcert: join(this.places.certificates, "tls.crt") };
    return this.psql({ host: "localhost", user, password, dbname: database, ...trust, ...change }, statement);
  }

  inside = (user: string, statement: string, database = "postgres"): Said =>
    this.psql({ host: this.places.socket, user, dbname: database }, statement);

  log = (name: string): string =>
    existsSync(this.at(`${name}.log`)) ? readFileSync(this.at(`${name}.log`), "utf8") : "";
  isReady = (): boolean => existsSync(join(this.places.tmp, "ready"));
  data = (...parts: string[]): string => this.at("data", "postgres", ...parts);

  /** Something that lies on the volume before the server starts. */
  put(folder: string, file: string, text: string): void {
    mkdirSync(this.at("data", folder), { recursive: true });
    writeFileSync(this.at("data", folder, file), text);
    this.own(this.at("data"));
  }

  /** A client that stays. */
  linger(user: string, password: string, database: string): void {
    const { uid, gid } = this.as;
    const dsn = `host=localhost port=${this.port} sslmode=require user=${user} password=${password} dbname=${database}`;
    const env = { PATH, LC_ALL: "C.UTF-8" };
    spawn("psql", ["-Xqc", "SELECT pg_sleep(60)", dsn], { env, uid, gid, cwd: this.dir, stdio: "ignore" });
  }

  async end(): Promise<void> {
    await this.stop("keeper", "SIGKILL");
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
