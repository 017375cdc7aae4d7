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
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "../freePort";
import { bootstrapConfig, dynamicConfig, patroniConfig } from "../../../components/postgres/patroni";
import {
  OWN_LOGINS,
  type Places,
  type PostgresMode,
  pgHba,
  postgresqlConf,
} from "../../../components/postgres/settings";

const SCRIPTS = resolve(__dirname, "../../../components/postgres");
const BINARIES = "/usr/lib/postgresql/15/bin";
/** Of the machine itself: what a user has beside it, others may not read. */
const PATH = `${BINARIES}:/usr/local/bin:/usr/bin:/bin`;
/** Postgres refuses to run as root. */
const USERS = ["postgres", "nobody"];
const PATRONI = "python3 -m patroni";
const SIZE = { memory: "256Mi", storage: "512Mi", connections: 30 };
const basicEnv = { PATH, LC_ALL: "C.UTF-8", PYTHONPATH: process.env.PYTHONPATH };

interface Owner {
  readonly name: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** Why the scripts cannot be tried here, or nothing. */
export function missingProgram(mode: PostgresMode = "single"): string | undefined {
  const needed = [
    ...["postgres", "initdb", "psql", "pg_isready"].map((name) => `${name} --version`),
    "openssl version",
  ];
  if (mode === "replicated") needed.push(`${PATRONI} --version`);
  const env = basicEnv as NodeJS.ProcessEnv;
  const missing = needed.filter((command) => spawnSync("sh", ["-c", command], { env, cwd: "/" }).status !== 0);
  return missing.length > 0 ? `needs what answers to ${missing.join(", ")}` : undefined;
}

function owner(): Owner {
  if (process.getuid?.() !== 0) return { name: execFileSync("id", ["-un"], { encoding: "utf8" }).trim() };
  const entries = readFileSync("/etc/passwd", "utf8").split("\n");
  const found = USERS.flatMap((user) => entries.filter((line) => line.startsWith(`${user}:`)))[0] ?? "";
  const [name = "", , uid, gid] = found.split(":");
  return { name, uid: Number(uid), gid: Number(gid) };
}

export interface Said {
  readonly code: number;
  readonly out: string;
}

/** Of a pod among others. */
export interface Member {
  readonly ordinal: number;
  /** A loopback address of its own. */
  readonly host: string;
  readonly kubeconfig: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the pod of a Postgres would run, in a folder and on a port or an address of its own: the real servers, the real scripts. */
export class PostgresPod {
  readonly dir = mkdtempSync(join(tmpdir(), "postgres-pod-"));
  private readonly as = owner();
  private readonly processes = new Map<string, ChildProcess>();
  private readonly mode: PostgresMode;
  private readonly places: Places = {
    files: join(this.dir, "files"),
    certificates: join(this.dir, "certificates"),
    socket: join(this.dir, "socket"),
    tmp: join(this.dir, "tmp"),
    data: join(this.dir, "data", "postgres"),
  };

  constructor(
    readonly port: number,
    private readonly member?: Member,
  ) {
    this.mode = member ? "replicated" : "single";
    for (const folder of ["files", "certificates", "socket", "tmp", "logins", "data"]) mkdirSync(this.at(folder));
    for (const file of readdirSync(SCRIPTS))
      if (/\.(sh|sql|py)$/.test(file)) cpSync(join(SCRIPTS, file), join(this.places.files, file));
    for (const [file, text] of Object.entries(this.settings())) writeFileSync(join(this.places.files, file), text);
    this.certify();
    for (const login of OWN_LOGINS[this.mode]) this.login(login, `password-of-${login}`);
    this.own(this.dir);
  }

  static make = async (): Promise<PostgresPod> => new PostgresPod(await freePort());

  private settings(): Record<string, string> {
    const hba = { "pg_hba.conf": pgHba(this.mode) };
    if (!this.member) return { ...hba, "postgresql.conf": postgresqlConf(SIZE, this.places) };
    const { host, labels } = this.member;
    const config = patroniConfig({ name: "postgres", namespace: "dev-data", labels, ...SIZE }, this.places);
    return {
      ...hba,
      "patroni.yml": JSON.stringify(config).replaceAll("0.0.0.0:", `${host}:`),
      "bootstrap.yml": JSON.stringify(bootstrapConfig(SIZE)),
      "dynamic.json": JSON.stringify(dynamicConfig(SIZE)),
    };
  }

  private readonly at = (...parts: string[]): string => join(this.dir, ...parts);

  private own(path: string): void {
    if (this.as.uid !== undefined) execFileSync("chown", ["-R", `${this.as.uid}:${this.as.gid}`, path]);
  }

  /** A new certificate that signs itself, for this pod and all that may be beside it. */
  certify(): void {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "tls.key"];
    const hosts = this.member ? `,IP:${this.member.host}` : "";
    const names = ["-subj", "/CN=localhost", "-addext", `subjectAltName=DNS:localhost${hosts}`];
    const cwd = this.places.certificates;
    execFileSync("openssl", ["req", "-x509", ...key, "-out", "tls.crt", ...names, "-days", "1"], {
      cwd,
      stdio: "ignore",
    });
    chmodSync(join(cwd, "tls.key"), 0o600);
    cpSync(join(cwd, "tls.crt"), join(cwd, "ca.crt"));
    this.own(cwd);
  }

  /** Takes these for good, as all pods take the platform's. */
  trust(pods: readonly PostgresPod[]): void {
    const all = pods.map(({ places }) => readFileSync(join(places.certificates, "tls.crt"), "utf8")).join("");
    writeFileSync(join(this.places.certificates, "ca.crt"), all);
  }

  /** A login, by the name of its file. */
  login(name: string, password: string): void {
    const file = this.at("logins", name);
    writeFileSync(file, password, { mode: 0o600 });
    if (this.as.uid !== undefined) chownSync(file, this.as.uid, this.as.gid ?? 0);
  }

  forget = (name: string): void => rmSync(this.at("logins", name));

  /** For how many seconds an application's changed password waits; as the keeper was started. */
  hold = "0";

  /** Whether the keeper's script says that the server lets somebody in. */
  accepts(role: string, database: string, password: string): boolean {
    const { uid, gid } = this.as;
    const args = [join(this.places.files, "keeper.sh"), "accepts", role, database];
    const said = spawnSync("sh", args, { env: this.env, uid, gid, cwd: this.dir, input: password, encoding: "utf8" });
    if (said.status !== 0) throw new Error(said.stderr);
    return said.stdout.trim() === "yes";
  }

  private get env(): NodeJS.ProcessEnv {
    const { files, certificates, socket, tmp } = this.places;
    const places = { FILES: files, CERTIFICATES: certificates, SOCKET: socket, TMP: tmp };
    const more = {
      MODE: this.mode,
      LOGINS: this.at("logins"),
      DATA: this.at("data"),
      OWN: OWN_LOGINS[this.mode].join(" "),
      HOLD_SECONDS: this.hold,
    };
    const common = { ...basicEnv, PGPORT: String(this.port), PAUSE: "0.3", ...places, ...more };
    if (!this.member) return common;
    const { host, ordinal, kubeconfig } = this.member;
    return {
      ...common,
      POD: `postgres-${ordinal}`,
      PATRONI,
      PATRONI_HOST: host,
      PATRONI_NAME: `postgres-${ordinal}`,
      PATRONI_POSTGRESQL_CONNECT_ADDRESS: `${host}:${this.port}`,
      PATRONI_RESTAPI_CONNECT_ADDRESS: `${host}:8008`,
      PATRONI_KUBERNETES_CONTEXT: "fake",
      KUBECONFIG: kubeconfig,
      PGPASSFILE: join(socket, "pgpass"),
    };
  }

  private spawn(name: string, args: readonly string[]): ChildProcess {
    const { uid, gid } = this.as;
    return spawn("sh", [join(this.places.files, `${name}.sh`), ...args], { env: this.env, uid, gid, cwd: this.dir });
  }

  start(name: "server" | "patroni" | "keeper"): ChildProcess {
    const child = this.spawn(name, name === "server" ? ["-c", `port=${this.port}`] : []);
    // Its own children may outlive it, and say so.
    const log = (data: Buffer): void => {
      if (existsSync(this.dir)) appendFileSync(this.at(`${name}.log`), data);
    };
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

  /** As a pod that is deleted by force: it runs on, and another may start beside it. */
  leave(): ChildProcess {
    const child = this.processes.get("server");
    if (!child) throw new Error("no server runs");
    this.processes.delete("server");
    return child;
  }

  /** The postmaster's number, while there is one. */
  private postmaster(): number | undefined {
    const file = join(this.places.data, "postmaster.pid");
    return existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) : undefined;
  }

  /** A signal to the server itself, past what started it. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.postmaster();
    if (pid) process.kill(pid, signal);
  }

  /** Stops the server's processes in their tracks, or lets them go on. */
  freeze(frozen: boolean): void {
    const pid = this.postmaster();
    if (!pid) return;
    const children = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
      .stdout.split("\n")
      .filter(Boolean);
    for (const each of [pid, ...children.map(Number)]) process.kill(each, frozen ? "SIGSTOP" : "SIGCONT");
  }

  /** As a kill of the whole pod: nothing gets to end by itself. */
  async kill(): Promise<void> {
    for (const name of ["keeper", "patroni"]) await this.stop(name, "SIGKILL");
    this.newTmp("done");
    this.newTmp("ready");
    const shell = this.processes.get("server");
    try {
      this.signal("SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    if (shell && shell.exitCode === null) await once(shell, "exit");
    this.processes.delete("server");
  }

  async script(name: string, ...args: string[]): Promise<number> {
    const [code] = (await once(this.spawn(name, args), "exit")) as [number];
    return code;
  }

  /** What a client of this pod's user gets to hear. */
  async psql(
    settings: Readonly<Record<string, string>>,
    statement: string,
    uid: number | undefined = this.as.uid,
  ): Promise<Said> {
    const { gid } = this.as;
    const connection = Object.entries({ port: String(this.port), connect_timeout: "5", ...settings });
    const dsn = connection.map(([key, value]) => `${key}='${value}'`).join(" ");
    const env = basicEnv as NodeJS.ProcessEnv;
    const child = spawn("psql", ["-XqAt", dsn, "-c", statement], { env, uid, gid, cwd: this.dir });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (out += data.toString()));
    // Who has no answer by then has no confirmation.
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
    const [code] = (await once(child, "close")) as [number | null];
    clearTimeout(timer);
    return { code: code ?? 1, out: code === null ? `${out}no answer` : out.trim() };
  }

  /** Over the network, as an application does. */
  client(user: string, password: string, database: string, statement = "SELECT 1", change: object = {}): Promise<Said> {
    const trust = { sslmode: "verify-full", sslrootcert: join(this.places.certificates, "tls.crt") };
    const host = this.member?.host ?? "localhost";
    return this.psql({ host, user, password, dbname: database, ...trust, ...change }, statement);
  }

  inside = (user: string, statement: string, database = "postgres", uid = this.as.uid): Promise<Said> =>
    this.psql({ host: this.places.socket, user, dbname: database }, statement, uid);

  /** Whether a process can be another user than the server's, and of its group. */
  get mayChangeUser(): boolean {
    if (this.as.uid !== undefined) for (const path of [this.dir, this.places.socket]) chmodSync(path, 0o750);
    return this.as.uid !== undefined;
  }

  log = (name: string): string =>
    existsSync(this.at(`${name}.log`)) ? readFileSync(this.at(`${name}.log`), "utf8") : "";
  isReady = (): boolean => existsSync(join(this.places.tmp, "ready"));
  data = (...parts: string[]): string => join(this.places.data, ...parts);
  files = (file: string): string => join(this.places.files, file);

  /** What a container remembers is gone with it. */
  newTmp(...parts: string[]): void {
    rmSync(join(this.places.tmp, ...parts), { recursive: true, force: true });
  }

  /** Has what a single server starts with as well. */
  asSingle(): void {
    writeFileSync(this.files("postgresql.conf"), postgresqlConf(SIZE, this.places));
  }

  /** Something that lies on the volume before the server starts. */
  put(folder: string, file: string, text: string): void {
    mkdirSync(this.at("data", folder), { recursive: true });
    writeFileSync(this.at("data", folder, file), text);
    this.own(this.at("data"));
  }

  loseVolume(): void {
    rmSync(this.at("data"), { recursive: true });
    mkdirSync(this.at("data"));
    this.own(this.at("data"));
  }

  /** A client that stays. */
  linger(user: string, password: string, database: string): void {
    const { uid, gid } = this.as;
    const dsn = `host=localhost port=${this.port} sslmode=require user=${user} password=${password} dbname=${database}`;
    const env = basicEnv as NodeJS.ProcessEnv;
    spawn("psql", ["-Xqc", "SELECT pg_sleep(60)", dsn], { env, uid, gid, cwd: this.dir, stdio: "ignore" });
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
