import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { keeperSettings, serverConfig } from "../../components/secretsPlatform/settings";
import { type Pair, authority, certificate } from "../../sandbox/pki";
import { ensure } from "../../toolchain";
import { ROOT, eventually, run } from "./world";

const NAMESPACE = "dev-secrets";
const PORT = 18200;

interface Secret {
  metadata: { name: string };
  data: Record<string, string>;
}

/** As much of an API server as the keeper asks: the Secrets of one namespace, and a way to be out of order. */
class SecretsApi {
  readonly secrets = new Map<string, Secret>();
  /** Asked before a Secret is stored. */
  refuse: () => boolean = () => false;
  refusals = 0;
  private readonly server: https.Server;

  constructor(pair: Pair) {
    this.server = https.createServer(
      { cert: fs.readFileSync(pair.cert), key: fs.readFileSync(pair.key) },
      (request, response) => {
        let text = "";
        request.on("data", (data: Buffer) => (text += data.toString()));
        request.on("end", () => {
          const { status, body } = this.answer(request.method ?? "GET", request.url ?? "", text);
          response.writeHead(status).end(JSON.stringify(body));
        });
      },
    );
  }

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private answer(method: string, url: string, text: string): { status: number; body: unknown } {
    const name = url.split("/secrets/")[1];
    if (method === "GET") {
      const found = this.secrets.get(name ?? "");
      return found ? { status: 200, body: found } : { status: 404, body: {} };
    }
    if (this.refuse()) {
      this.refusals += 1;
      return { status: 500, body: { message: "out of order" } };
    }
    const sent = JSON.parse(text) as Secret & { stringData?: Record<string, string> };
    const plain = Object.entries(sent.stringData ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value).toString("base64"),
    ]);
    const data = { ...sent.data, ...(Object.fromEntries(plain) as Record<string, string>) };
    this.secrets.set(sent.metadata.name, { metadata: sent.metadata, data });
    return { status: 201, body: {} };
  }
}

/** A pod of Vault as Kubernetes would run it: server and keeper in a process namespace of their own, started again when they end. */
class Pod {
  private process?: ChildProcess;
  log = "";

  constructor(
    private readonly dir: string,
    private readonly vault: string,
  ) {}

  start(): void {
    const loop = (command: string): string => `while :; do ${command}; sleep 0.2; done`;
    const script = [
      `(${loop(`"$VAULT" server -config="$DIR/vault.hcl" -log-level=warn >>"$DIR/vault.log" 2>&1`)}) &`,
      loop(`"$NODE" "$KEEPER"`),
    ].join("\n");
    const child = spawn("unshare", ["--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", script], {
      env: {
        ...process.env,
        DIR: this.dir,
        VAULT: this.vault,
        NODE: process.execPath,
        KEEPER: path.join(ROOT, "components/secretsPlatform/keeper.mjs"),
        KEEPER_SETTINGS: path.join(this.dir, "keeper.json"),
        POD_NAME: "vault-0",
        VAULT_API_ADDR: `https://127.0.0.1:${PORT}`,
        VAULT_CLUSTER_ADDR: `https://127.0.0.1:${PORT + 1}`,
        VAULT_RAFT_NODE_ID: "vault-0",
        HOME: this.dir,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.on("data", (data: Buffer) => (this.log += data.toString()));
    this.process = child;
  }

  /** As a node that loses power. */
  async kill(): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once("close", done));
    child.kill("SIGKILL");
    await gone;
  }
}

describe("[004.12] the keeper brings Vault up by itself", function () {
  this.timeout(120_000);
  let dir: string;
  let api: SecretsApi;
  let pod: Pod;
  let vault: string;

  const status = async (): Promise<{ initialized: boolean; sealed: boolean }> => {
    const { out, err } = await run(vault, ["status", "-format=json"], { env: client() });
    if (!out) throw new Error(err);
    return JSON.parse(out) as { initialized: boolean; sealed: boolean };
  };
  const client = (token = "none"): NodeJS.ProcessEnv => ({
    ...process.env,
    VAULT_ADDR: `https://127.0.0.1:${PORT}`,
    VAULT_CACERT: path.join(dir, "tls", "ca.crt"),
    VAULT_TOKEN: token,
  });
  const ready = async (): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${PORT + 2}/`);
    assert.equal(answer.status, 200, pod.log);
  };
  const seal = (): Secret | undefined => api.secrets.get("vault-seal");

  before(async () => {
    vault = (await ensure(["vault"])).bin("vault");
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "keeper-"));
    for (const each of ["data", "tls", "account"]) fs.mkdirSync(path.join(dir, each));
    const ca = authority(dir, "ca", "authority of the tests");
    const pair = certificate(dir, "vault", ca, { commonName: "vault", names: ["IP:127.0.0.1", "DNS:localhost"] });
    fs.copyFileSync(pair.cert, path.join(dir, "tls", "tls.crt"));
    fs.copyFileSync(pair.key, path.join(dir, "tls", "tls.key"));
    for (const each of ["tls", "account"]) fs.copyFileSync(ca.cert, path.join(dir, each, "ca.crt"));
    fs.writeFileSync(path.join(dir, "account", "token"), "token of the tests");
    api = new SecretsApi(pair);
    const settings = JSON.parse(keeperSettings(NAMESPACE, 1, { type: "cluster" }, {})) as {
      writes: Record<string, object>;
    };
    // No pod's account is at hand to ask an API server with.
    const config = "auth/kubernetes/config";
    const authorityOfTheApi = { kubernetes_ca_cert: fs.readFileSync(ca.cert, "utf8"), disable_local_ca_jwt: true };
    const writes = { ...settings.writes, [config]: { ...settings.writes[config], ...authorityOfTheApi } };
    const places = {
      data: path.join(dir, "data"),
      tls: path.join(dir, "tls"),
      account: path.join(dir, "account"),
      kubernetes: await api.start(),
      vault: `https://127.0.0.1:${PORT}`,
      listen: PORT + 2,
    };
    fs.writeFileSync(path.join(dir, "keeper.json"), JSON.stringify({ ...settings, writes, places }));
    const server = serverConfig(NAMESPACE, 1, { type: "cluster" })
      .replaceAll('"/vault/', `"${dir}/`)
      .replaceAll("0.0.0.0:8200", `127.0.0.1:${PORT}`)
      .replaceAll("0.0.0.0:8201", `127.0.0.1:${PORT + 1}`)
      .replace(/ {2}retry_join \{[^}]*\}\n/, "");
    fs.writeFileSync(path.join(dir, "vault.hcl"), server);
    pod = new Pod(dir, vault);
  });

  after(async () => {
    await pod.kill();
    api.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it("starts again from nothing when it was killed between the initialisation and the storing of its key", async () => {
    api.refuse = () => true;
    pod.start();
    await eventually(() => Promise.resolve(assert.ok(api.refusals > 0, pod.log)), 30_000);
    assert.equal((await status()).initialized, true);
    await pod.kill();
    assert.equal(seal(), undefined);
    api.refuse = () => false;
    pod.start();
    await eventually(ready, 60_000);
    assert.match(pod.log, /starting again from nothing/);
    assert.deepEqual(await status().then(({ initialized, sealed }) => [initialized, sealed]), [true, false]);
    assert.ok(seal()?.data.key);
  });

  it("keeps trying while it holds a key that nobody else has", () => {
    assert.match(pod.log, /cannot store the seal's key yet/);
  });

  it("leaves the deployer's login, the audit log and no root token", async () => {
    assert.match(pod.log, /no root token is left/);
    assert.match(fs.readFileSync(path.join(dir, "vault.log"), "utf8"), /"type":"response"/);
    const refused = await run(vault, ["write", "auth/kubernetes/login", "role=deployer", "jwt=none"], {
      env: client(),
    });
    assert.match(refused.err, /403|permission denied|unable to/i);
    assert.doesNotMatch(refused.err, /could not load|invalid role name|no handler/i);
  });

  it("unseals after every restart and does not do its work twice", async () => {
    const log = pod.log.length;
    await pod.kill();
    pod.start();
    await eventually(ready, 30_000);
    assert.equal((await status()).sealed, false);
    assert.doesNotMatch(pod.log.slice(log), /initialising|prepared:/);
  });

  it("touches nothing when the key of data in use is gone", async () => {
    const kept = seal();
    assert.ok(kept);
    api.secrets.delete("vault-seal");
    const log = pod.log.length;
    await pod.kill();
    pod.start();
    await eventually(() => Promise.resolve(assert.match(pod.log.slice(log), /put it back from a backup/)), 30_000);
    assert.deepEqual(await status().then(({ initialized, sealed }) => [initialized, sealed]), [true, true]);
    api.secrets.set("vault-seal", kept);
    await eventually(ready, 30_000);
    assert.equal((await status()).sealed, false);
  });
});
