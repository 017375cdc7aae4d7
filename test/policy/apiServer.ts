import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { signingKey } from "../../sandbox/pki";
import { freePort } from "../unit/freePort";
import { localTool } from "../unit/localTool";

const TOKEN = "of-the-tests";
const PATIENCE_MS = 400_000;

export interface Answer {
  readonly status: number;
  readonly body: { readonly message?: string; readonly reason?: string; readonly [field: string]: unknown };
  /** What the server warns of. */
  readonly warnings: readonly string[];
}

/** A real API server with its store and nothing else, on loopback: no node, no controller. */
export class BareServer {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 8, rejectUnauthorized: false });

  private constructor(
    private readonly port: number,
    private readonly processes: readonly ChildProcess[],
    private readonly place: string,
  ) {}

  /** Undefined where this machine does not have the programs. */
  static async start(): Promise<BareServer | undefined> {
    const [etcd, kubernetes] = [localTool("etcd"), localTool("kubernetes")];
    if (etcd === undefined || kubernetes === undefined) return undefined;
    const place = mkdtempSync(join(tmpdir(), "bare-server-"));
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const [store, peers, port] = ports.map(String) as [string, string, string];
    const accounts = signingKey(place, "accounts");
    writeFileSync(join(place, "tokens.csv"), `${TOKEN},admin,admin,system:masters\n`);
    const run = (binary: string, flags: Readonly<Record<string, string>>): ChildProcess =>
      spawn(
        binary,
        Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
        { stdio: "ignore" },
      );
    const processes = [
      run(etcd, {
        "data-dir": join(place, "etcd"),
        "listen-client-urls": `http://127.0.0.1:${store}`,
        "advertise-client-urls": `http://127.0.0.1:${store}`,
        "listen-peer-urls": `http://127.0.0.1:${peers}`,
        "unsafe-no-fsync": "true",
        logger: "zap",
        "log-level": "error",
      }),
      run(join(dirname(kubernetes), "kube-apiserver"), {
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "secure-port": port,
        "cert-dir": place,
        "etcd-servers": `http://127.0.0.1:${store}`,
        "service-cluster-ip-range": "198.18.0.0/24",
        "token-auth-file": join(place, "tokens.csv"),
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": accounts.publicKey,
        "service-account-signing-key-file": accounts.key,
        "authorization-mode": "RBAC",
        // There is no controller that would make accounts.
        "disable-admission-plugins": "ServiceAccount",
        "allow-privileged": "true",
        "watch-cache": "true",
      }),
    ];
    const server = new BareServer(Number(port), processes, place);
    try {
      await server.until(async () => (await server.ask("GET", "/readyz")).status === 200);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  ask(method: string, path: string, body?: unknown, user?: string): Promise<Answer> {
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
      ...(user === undefined ? {} : { "impersonate-user": user, "impersonate-group": "system:masters" }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: "127.0.0.1", port: this.port, method, path, headers, agent: this.agent, timeout: 60_000 },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("end", () => {
            const said = Buffer.concat(parts).toString();
            const parsed = said.startsWith("{") ? (JSON.parse(said) as Answer["body"]) : { message: said };
            const warnings = [response.headers.warning ?? []].flat();
            resolve({ status: response.statusCode ?? 0, body: parsed, warnings });
          });
        },
      );
      sent.on("error", reject);
      sent.on("timeout", () => sent.destroy(new Error(`${method} ${path}: no answer`)));
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async create(path: string, body: unknown): Promise<void> {
    const { status, body: said } = await this.ask("POST", path, body);
    if (status !== 201) throw new Error(`${path}: ${status} ${said.message}`);
  }

  async until(holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      if (await holds().catch(() => false)) return;
      if (Date.now() > end) throw new Error("the API server does not come to it");
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    const ended = this.processes.map((each) => new Promise((done) => each.once("exit", done)));
    // The store goes last, so that nothing waits for it.
    for (const each of [...this.processes].reverse()) each.kill("SIGKILL");
    await Promise.all(ended);
    rmSync(this.place, { recursive: true, force: true });
  }
}
