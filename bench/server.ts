import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import * as path from "node:path";
import { writeAccess } from "../sandbox/access";
import { type ApiClient, apiClient } from "../sandbox/apiClient";
import { authority, certificate, componentKubeconfig, signingKey } from "../sandbox/pki";
import { sleep, until } from "../sandbox/processes";
import { lastLines } from "../toolchain/command";

export interface Server {
  /** Names a login by an exec plugin, as users have it. */
  readonly kubeconfig: string;
  /** Holds its credential, for tools too old for such a login. */
  readonly plainKubeconfig: string;
  readonly api: ApiClient;
  close(): Promise<void>;
}

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });

/** A busy machine takes minutes. */
const START_MS = 600_000;

const servers = new Set<ChildProcess>();

/** At once, for a run that is being broken off. */
export function endServers(): void {
  for (const child of servers) child.kill("SIGKILL");
}

/** etcd and an API server on loopback, with nothing in them and no controller: what every tool waits for and nothing else. */
export async function startServer(dir: string, bin: (name: string) => string): Promise<Server> {
  fs.mkdirSync(dir, { recursive: true });
  const [client, peer, api] = [await freePort(), await freePort(), await freePort()];
  const log = (name: string): string => path.join(dir, `${name}.log`);
  const started: ChildProcess[] = [];
  const start = (name: string, flags: Readonly<Record<string, string>>): ChildProcess => {
    const out = fs.openSync(log(name), "a");
    const words = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    // Out of the terminal's reach: an interruption is ours to hear, and to end them in order.
    const child = spawn(bin(name), words, { cwd: dir, stdio: ["ignore", out, out], detached: true });
    child.on("error", (error) => fs.writeSync(out, `${error.message}\n`));
    started.push(child);
    servers.add(child);
    child.on("exit", () => servers.delete(child));
    return child;
  };
  const close = async (): Promise<void> => {
    for (const child of [...started].reverse()) await end(child);
    fs.rmSync(dir, { recursive: true, force: true });
  };
  try {
    const pki = path.join(dir, "pki");
    const ca = authority(pki, "ca", "bench CA");
    const serving = certificate(pki, "apiserver", ca, {
      commonName: "kube-apiserver",
      names: ["IP:127.0.0.1", "DNS:kubernetes"],
    });
    const admin = certificate(pki, "admin", ca, { commonName: "bench", organization: "system:masters" });
    const accounts = signingKey(pki, "service-accounts");
    const storage = `http://127.0.0.1:${client}`;
    start("etcd", {
      "data-dir": path.join(dir, "etcd"),
      "listen-client-urls": storage,
      "advertise-client-urls": storage,
      "listen-peer-urls": `http://127.0.0.1:${peer}`,
      logger: "zap",
      "log-level": "warn",
    });
    const server = start("kube-apiserver", {
      "bind-address": "127.0.0.1",
      // It wants one that is not loopback; nobody asks there.
      "advertise-address": "192.0.2.1",
      "secure-port": String(api),
      "etcd-servers": storage,
      "service-cluster-ip-range": "198.18.4.0/22",
      "client-ca-file": ca.cert,
      "tls-cert-file": serving.cert,
      "tls-private-key-file": serving.key,
      "service-account-issuer": "https://kubernetes.default.svc",
      "service-account-key-file": accounts.publicKey,
      "service-account-signing-key-file": accounts.key,
      "authorization-mode": "RBAC",
      profiling: "false",
    });
    const address = `https://127.0.0.1:${api}`;
    const plainKubeconfig = path.join(dir, "plain-kubeconfig");
    fs.writeFileSync(plainKubeconfig, componentKubeconfig(address, ca, admin), { mode: 0o600 });
    const text = (file: string): string => fs.readFileSync(file, "utf8");
    const caData = fs.readFileSync(ca.cert).toString("base64");
    writeAccess(dir, { name: "bench", server: address, caData, certificate: text(admin.cert), key: text(admin.key) });
    const asked = apiClient(plainKubeconfig);
    const ready = await until(async () => server.exitCode !== null || (await isReady(asked)), START_MS, 250);
    if (!ready || server.exitCode !== null)
      throw new Error(`the API server does not come up; its last words:\n${lastLines(log("kube-apiserver"), 10)}`);
    return { kubeconfig: path.join(dir, "kubeconfig"), plainKubeconfig, api: asked, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The namespace that it makes last, as it comes up. */
async function isReady(api: ApiClient): Promise<boolean> {
  try {
    await api.request("GET", "/api/v1/namespaces/kube-system");
    await api.request("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin");
    // Made on the first question, which on a busy machine takes longer than kubectl waits.
    await api.request("GET", "/openapi/v2");
    return true;
  } catch {
    return false;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const over = (): boolean => child.exitCode !== null || child.signalCode !== null;
  child.kill("SIGTERM");
  if (!(await until(over, 10_000))) child.kill("SIGKILL");
  while (!over()) await sleep(50);
}
