import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, renameSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { frontConfig, frontFlags } from "../../../components/objectStore/front";
import { keeperSettings } from "../../../components/objectStore/keeping";
import { SERVER_SETTINGS, serverFlags } from "../../../components/objectStore/pod";
import { ADMINISTRATOR, type AppBucket, usersOf } from "../../../components/objectStore/settings";
import type { signed as Signed } from "../../../components/objectStore/requests.mjs" with {
  "resolution-mode": "import",
};
import { type Pair, authority, certificate } from "../../../sandbox/pki";
import { freePort } from "../freePort";
import { localTool } from "../localTool";

const signed: typeof Signed = (...request) => requests.signed(...request);
let requests: { signed: typeof Signed };

const KEEPER = join(__dirname, "../../../components/objectStore/keeper.mjs");

export interface Reply {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: http.IncomingHttpHeaders;
}

/** What the pod of a store and its keeper would run, on loopback: the real server, the real front, certificates of each kind. */
export class ObjectStorePod {
  readonly dir = mkdtempSync(join(tmpdir(), "object-store-"));
  readonly platform = authority(this.at("pki"), "platform", "platform");
  readonly clients = authority(this.at("pki"), "clients", "clients");
  private readonly processes = new Map<string, ChildProcess>();
  private round = 0;
  log = "";

  private constructor(
    private readonly programs: { readonly minio: string; readonly traefik: string },
    readonly ports: {
      readonly clients: number;
      readonly inside: number;
      readonly server: number;
      readonly keeper: number;
    },
  ) {
    for (const folder of ["data", "minio/CAs", "front", "logins", "client"])
      mkdirSync(this.at(folder), { recursive: true });
    this.certify();
    this.login(ADMINISTRATOR);
  }

  /** Nothing where this machine lacks a program. */
  static async make(): Promise<ObjectStorePod | undefined> {
    const [minio, traefik] = [localTool("minio"), localTool("traefik")];
    if (!minio || !traefik) return undefined;
    requests = await import("../../../components/objectStore/requests.mjs");
    const [clients = 0, inside = 0, server = 0, keeper = 0] = await Promise.all([1, 2, 3, 4].map(() => freePort()));
    return new ObjectStorePod({ minio, traefik }, { clients, inside, server, keeper });
  }

  at(...path: string[]): string {
    return join(this.dir, ...path);
  }
  get endpoint(): string {
    return `https://localhost:${this.ports.clients}`;
  }

  client = (ca: Pair, name: string): Pair => certificate(this.at("pki"), name, ca, { commonName: name });

  /** A server's certificate, laid out as Kubernetes lays files out: a renewal is one rename. */
  certify(): void {
    const name = `server-${++this.round}`;
    const names = ["DNS:localhost", "IP:127.0.0.1"];
    const server = certificate(this.at("pki"), name, this.platform, { commonName: "object-store", names });
    const keeper = this.client(this.clients, "keeper");
    const { clients, inside, server: port } = this.ports;
    const on = (each: number): string => `127.0.0.1:${each}`;
    const places = { directory: this.at("front"), clients: on(clients), inside: on(inside), server: on(port) };
    this.frontFlags = frontFlags(places);
    this.lay("front", {
      "front.yml": JSON.stringify(frontConfig(places)),
      "tls.crt": readFileSync(server.cert),
      "tls.key": readFileSync(server.key),
      "ca.crt": readFileSync(this.platform.cert),
      "clients.crt": readFileSync(this.clients.cert),
    });
    cpSync(server.cert, this.at("minio/public.crt"));
    cpSync(server.key, this.at("minio/private.key"));
    cpSync(this.platform.cert, this.at("minio/CAs/ca.crt"));
    cpSync(keeper.cert, this.at("client/tls.crt"));
    cpSync(keeper.key, this.at("client/tls.key"));
    cpSync(this.platform.cert, this.at("client/ca.crt"));
  }
  private frontFlags: string[] = [];

  private lay(folder: string, files: Readonly<Record<string, string | Buffer>>): void {
    const version = `..round-${this.round}`;
    mkdirSync(this.at(folder, version));
    for (const [name, content] of Object.entries(files)) writeFileSync(this.at(folder, version, name), content);
    symlinkSync(version, this.at(folder, "..data_tmp"));
    renameSync(this.at(folder, "..data_tmp"), this.at(folder, "..data"));
    if (this.round === 1)
      for (const name of Object.keys(files)) symlinkSync(join("..data", name), this.at(folder, name));
    else rmSync(this.at(folder, `..round-${this.round - 1}`), { recursive: true });
  }

  login(user: string, password = `password-of-${user}`): void {
    writeFileSync(this.at("logins", user), password);
  }

  forget(user: string): void {
    rmSync(this.at("logins", user));
  }

  start(): void {
    const { minio, traefik } = this.programs;
    const places = { certificates: this.at("minio"), data: this.at("data"), port: this.ports.server };
    const size = { mode: "standalone", servers: 1, name: "object-store" } as const;
    const env = { ...SERVER_SETTINGS, HOME: this.dir, MINIO_ROOT_PASSWORD: `password-of-${ADMINISTRATOR}` };
    this.run("minio", minio, serverFlags(size, "dev-data", places), env);
    if (!this.processes.has("front")) this.run("front", traefik, this.frontFlags, {});
  }

  /** With what is declared now. */
  async keep(buckets: Readonly<Record<string, AppBucket>>): Promise<void> {
    await this.stop("keeper");
    for (const { name } of usersOf(buckets)) this.login(name);
    const places = { client: this.at("client"), logins: this.at("logins") };
    const settings = keeperSettings(this.endpoint, buckets, places, { port: this.ports.keeper, host: "127.0.0.1" });
    const quick = { ...settings, seconds: { look: 0.2, again: 2 } };
    writeFileSync(this.at("keeper.json"), JSON.stringify(quick));
    this.run("keeper", process.execPath, [KEEPER], { KEEPER_SETTINGS: this.at("keeper.json") });
  }

  isKept = async (): Promise<boolean> =>
    (await this.plain(`http://127.0.0.1:${this.ports.keeper}/`).catch(() => undefined))?.status === 200;

  inside = (path: string, method = "GET"): Promise<Reply> =>
    this.plain(`http://127.0.0.1:${this.ports.inside}${path}`, method);

  private plain = (url: string, method = "GET"): Promise<Reply> =>
    new Promise((done, fail) => {
      http.request(url, { method, agent: false, timeout: 5000 }, read(done, fail)).on("error", fail).end();
    });

  /** Over TLS, with a certificate or without one. */
  ask(request: {
    method?: string;
    path: string;
    headers?: Record<string, string>;
    body?: Buffer;
    as?: Pair;
  }): Promise<Reply> {
    const { method = "GET", path, headers, body, as } = request;
    const own = as ? { cert: readFileSync(as.cert), key: readFileSync(as.key) } : {};
    const options = { method, path, headers, ...own, ca: readFileSync(this.platform.cert), agent: false as const };
    return new Promise((done, fail) => {
      https.request(this.endpoint, options, read(done, fail)).on("error", fail).end(body);
    });
  }

  /** With a signature, and a certificate of a client. */
  as(
    user: string,
    asked: { method: string; path: string; query?: Record<string, string>; body?: string; password?: string },
  ): Promise<Reply> {
    const login = { user, password: asked.password ?? `password-of-${user}` };
    const host = `localhost:${this.ports.clients}`;
    const { path, headers } = signed({ ...asked, host, login });
    const body = Buffer.from(asked.body ?? "");
    return this.ask({ method: asked.method, path, headers, body, as: this.client(this.clients, "web") });
  }

  private run(name: string, program: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
    const child = spawn(program, args, { env: { PATH: process.env.PATH, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (this.log += `${name}: ${data.toString()}`));
    child.on("error", (error) => (this.log += `${basename(program)}: ${error.message}`));
    this.processes.set(name, child);
  }

  async stop(name: string, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.processes.get(name);
    this.processes.delete(name);
    if (!child || child.exitCode !== null) return;
    const over = once(child, "exit");
    child.kill(signal);
    await over;
  }

  async end(): Promise<void> {
    await Promise.all([...this.processes.keys()].map((name) => this.stop(name, "SIGKILL")));
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const read =
  (done: (reply: Reply) => void, fail: (error: Error) => void) =>
  (response: http.IncomingMessage): void => {
    const parts: Buffer[] = [];
    response.on("data", (part: Buffer) => parts.push(part));
    response.on("error", fail);
    response.on("end", () =>
      done({ status: response.statusCode ?? 0, body: Buffer.concat(parts), headers: response.headers }),
    );
  };
