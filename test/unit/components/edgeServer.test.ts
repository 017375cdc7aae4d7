import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { METRICS_PORT } from "../../../components/edge/server";
import { edge as edgeDashboard } from "../../../components/monitoring/dashboards/edge";
import { authority, certificate } from "../../../sandbox/pki";
import { cacheAt, defaultCacheRoot } from "../../../toolchain/cache";
import { storedItems } from "../../../toolchain/store";
import { freePort } from "../freePort";
import { GatewayCluster } from "./gatewayCluster";
import { metricsOf } from "./monitoring/promql";
import { type Recording, record } from "./recorder";
import { Scene, field, one } from "./scene";

/** The real server, where the toolchain has brought it or PATH has one. */
function traefik(): string | undefined {
  const stored = storedItems(cacheAt(defaultCacheRoot())).find(({ key }) => key.startsWith("traefik-"));
  const found = stored && join(stored.directory, "bin", "traefik");
  if (found && existsSync(found)) return found;
  try {
    execFileSync("traefik", ["version"], { stdio: "ignore" });
    return "traefik";
  } catch {
    return undefined;
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location?: string;
}

function ask(url: string, host: string, ca?: string): Promise<Answer> {
  return new Promise((done, fail) => {
    const options = { headers: { host }, agent: false as const, timeout: 5000 };
    const read = (response: http.IncomingMessage): void => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => done({ status: response.statusCode ?? 0, body, location: response.headers.location }));
    };
    const request = ca ? https.get(url, { ...options, ca, servername: host }, read) : http.get(url, options, read);
    request.on("timeout", () => request.destroy(new Error("no answer in 5 s")));
    request.on("error", fail);
  });
}

async function until<T>(look: () => Promise<T | false>): Promise<T> {
  for (const end = Date.now() + 15_000; ; await sleep(20)) {
    const found = await look().catch(() => false as const);
    if (found !== false) return found;
    if (Date.now() > end) throw new Error("it never came");
  }
}

describe("the server of the edge, with what the program asks for", function () {
  this.timeout(30_000);
  const dir = mkdtempSync(join(tmpdir(), "edge-"));
  const ports: Record<"http" | "https" | "health" | "metrics", number> = { http: 0, https: 0, health: 0, metrics: 0 };
  const backends: http.Server[] = [];
  let cluster: GatewayCluster;
  let server: ChildProcess | undefined;
  let recording: Recording;
  let ca = "";
  const HOST = "shop.dev.example";

  const health = (path: string): Promise<Answer> => ask(`http://127.0.0.1:${ports.health}${path}`, "localhost");
  const page = (host: string, path = "/"): Promise<Answer> => ask(`https://127.0.0.1:${ports.https}${path}`, host, ca);
  const backend = async (says: string): Promise<number> => {
    const made = http.createServer((_, response) => response.end(says));
    backends.push(made);
    await new Promise<void>((done) => made.listen(0, "127.0.0.1", done));
    return (made.address() as AddressInfo).port;
  };

  before(async function () {
    const binary = traefik();
    if (!binary) {
      console.log("      skipped: needs traefik (npm run toolchain -- build traefik)");
      return this.skip();
    }
    recording = await record(() => {
      const scene = new Scene();
      const edge = scene.edge("edge", { dashboards: pulumi.output("dev-dashboards") });
      scene.app("web", { edge, host: "shop" });
      scene.app("api", { edge, host: "shop", path: "/api" });
      scene.app("dashboards", { edge, host: "charts", namespace: "dev-dashboards" });
    });
    // Elsewhere than where it listens in its pod: other tests may run beside.
    const text = JSON.stringify(recording.resources);
    const listens = field(one(recording, "Gateway"), "spec.listeners") as { name: keyof typeof ports; port: number }[];
    const moved = { text };
    for (const { name, port } of [...listens, { name: "metrics" as const, port: METRICS_PORT }]) {
      ports[name] = await freePort();
      moved.text = moved.text
        .replaceAll(`"port":${port},`, `"port":${ports[name]},`)
        .replaceAll(`=:${port}"`, `=:${ports[name]}"`);
    }
    recording = { ...recording, resources: JSON.parse(moved.text) as Recording["resources"] };
    const root = authority(dir, "ca", "CA of the tests");
    ca = readFileSync(root.cert, "utf8");
    const names = field(one(recording, "Certificate"), "spec.dnsNames") as string[];
    const tls = certificate(dir, "edge", root, { commonName: "edge", names: names.map((name) => `DNS:${name}`) });
    cluster = new GatewayCluster(recording, tls);
    cluster.endpoints("web", [await backend("first")]);
    cluster.endpoints("api", [await backend("api")]);
    cluster.endpoints("dashboards", [await backend("charts")], "dev-dashboards");
    const api = await cluster.start();
    const kubeconfig = join(dir, "kubeconfig");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: api } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      "current-context": "c",
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    const args = field(one(recording, "Deployment", "edge-server"), "spec.template.spec.containers.0.args") as string[];
    server = spawn(binary, args, { env: { KUBECONFIG: kubeconfig }, stdio: "ignore" });
  });
  after(() => {
    server?.kill("SIGKILL");
    cluster?.stop();
    for (const each of backends) each.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it("is alive at once, and ready only when it has read the routes", async () => {
    await until(async () => (await health("/ping")).status === 200);
    await sleep(300);
    assert.equal((await health("/ready")).status, 404);
    cluster.release();
    await until(async () => (await health("/ready")).status === 200);
    // From the first moment on.
    assert.equal((await page(HOST)).status, 200);
  });

  it("leads to the application under its host, and to nothing under any other", async () => {
    assert.deepEqual([(await page(HOST)).status, (await page(HOST)).body], [200, "first"]);
    assert.equal((await page("nobody.dev.example")).status, 404);
    assert.equal((await page("nobody.dev.example", "/ready")).status, 404);
  });

  it("leads to another application below its path, and there only", async () => {
    for (const path of ["/api", "/api/", "/api/things?x=1"]) assert.equal((await page(HOST, path)).body, "api", path);
    for (const path of ["/", "/apis", "/other/api"]) assert.equal((await page(HOST, path)).body, "first", path);
    assert.equal((await page("nobody.dev.example", "/api")).status, 404);
  });

  it("leads to the dashboards, in a namespace of their own", async () => {
    assert.deepEqual(
      [(await page("charts.dev.example")).status, (await page("charts.dev.example")).body],
      [200, "charts"],
    );
  });

  it("tells the metrics that its dashboard asks for, where no route leads", async () => {
    const { status, body } = await ask(`http://127.0.0.1:${ports.metrics}/metrics`, "localhost");
    assert.equal(status, 200);
    const own = edgeDashboard.panels.flatMap(({ queries }) => Object.values(queries).flatMap(metricsOf));
    for (const metric of own.filter((each) => /^(traefik|process)_/.test(each)))
      assert.match(body, new RegExp(`^${metric}({| )`, "m"));
    assert.equal((await page(HOST, "/metrics")).body, "first", "the application's own");
    assert.equal((await health("/metrics")).status, 404);
  });

  it("sends plain http to https, for hosts of its own domain", async () => {
    const plain = (host: string): Promise<Answer> => ask(`http://127.0.0.1:${ports.http}/path?x=1`, host);
    const { status, location } = await plain(HOST);
    assert.deepEqual([status, location], [301, `https://${HOST}/path?x=1`]);
    assert.equal((await plain("example.org")).status, 404);
  });

  it("needs every right that it is given, and no other", () => {
    assert.deepEqual(cluster.denied, []);
    // It writes the status of what there is, and no gRPC route is here.
    const granted = cluster.granted.filter((right) => !right.startsWith("update grpcroutes/status"));
    assert.deepEqual(
      granted.filter((right) => !cluster.asked.has(right)),
      [],
    );
  });

  it("loses no request while one pod takes another's place", async () => {
    const next = await backend("second");
    const failures: string[] = [];
    let over = false;
    const asking = (async () => {
      while (!over) {
        const { status } = await page(HOST).catch((error: Error) => ({ status: error.message }));
        if (status !== 200) failures.push(String(status));
      }
    })();
    try {
      await sleep(200);
      cluster.endpoints("web", [next]);
      const start = Date.now();
      await until(async () => (await page(HOST)).body === "second");
      // A pod serves on for five seconds after it is told to stop.
      assert.ok(Date.now() - start < 3000, `the old pod was used for ${Date.now() - start} ms`);
      backends[0]?.close();
      await sleep(500);
    } finally {
      over = true;
      await asking;
    }
    assert.deepEqual(failures, []);
  });
});
