import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, freePort, PASSWORD, redisProgram, RedisServer } from "./redisServer";

const SERVER = join(__dirname, "../.next/standalone/server.js");
const program = redisProgram();
const missing = "skip" in program ? program.skip : !existsSync(SERVER) && "there is no build: run npm run build";

interface Running {
  url: string;
  process: ChildProcess;
  output: () => string;
}

async function serve(environment: Record<string, string>): Promise<Running> {
  const port = await freePort();
  const own = { PORT: String(port), HOSTNAME: "127.0.0.1", NODE_ENV: "production" as const, PATH: process.env.PATH };
  const child = spawn(process.execPath, [SERVER], {
    env: { ...own, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return { url: `http://127.0.0.1:${port}`, process: child, output: () => output };
}

describe("the service", { skip: missing }, () => {
  let redis: RedisServer;
  let app: Running;
  const connection = (): Record<string, string> => {
    return { REDIS_HOST: "127.0.0.1", REDIS_PORT: String(redis.port), REDIS_USERNAME: "app", REDIS_PASSWORD: PASSWORD };
  };
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${app.url}${path}`, init);
  const isReady = async (): Promise<boolean> => (await get("/readyz").catch(() => undefined))?.status === 200;
  const count = async (): Promise<number> => ((await (await get("/api/visits")).json()) as { visits: number }).visits;

  before(async () => {
    redis = await RedisServer.start("path" in program ? program.path : "");
    app = await serve(connection());
    await eventually("ready", isReady, 15_000);
  });
  after(async () => {
    app.process.kill("SIGKILL");
    await redis.remove();
  });

  it("counts each opened page once and shows the count", async () => {
    const start = await count();
    for (const visits of [start + 1, start + 2]) {
      const response = await get("/");
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.match(await response.text(), new RegExp(`<strong>${visits}</strong>`));
    }
    assert.equal(await count(), start + 2);
  });

  it("does not count what is no visit", async () => {
    const start = await count();
    await get("/", { method: "HEAD" });
    await get("/", { headers: { "Sec-Purpose": "prefetch" } });
    for (const path of ["/favicon.ico", "/icon.svg", "/healthz", "/readyz", "/api/visits", "/nothing"]) await get(path);
    assert.equal((await get("/", { method: "POST" })).status, 405);
    assert.equal(await count(), start);
  });

  it("counts by its API", async () => {
    const start = await count();
    const response = await get("/api/visits", { method: "POST" });
    assert.deepEqual(await response.json(), { visits: start + 1 });
    const refused = await get("/api/visits", { method: "DELETE" });
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.get("allow"), "GET, HEAD, POST");
  });

  it("sends pages without scripts and forbids them, with nothing about what it is made of", async () => {
    for (const path of ["/", "/nothing"]) {
      const response = await get(path);
      assert.doesNotMatch(await response.text(), /<script|style=/);
      assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.equal(response.headers.get("x-powered-by"), null);
    }
  });

  it("is alive but not ready while Redis is away, and says so within two seconds", async () => {
    await redis.stop();
    const started = Date.now();
    const [page, api, ready, alive] = await Promise.all([
      get("/"),
      get("/api/visits"),
      get("/readyz"),
      get("/healthz"),
    ]);
    assert.ok(Date.now() - started < 2000);
    assert.deepEqual([page.status, api.status, ready.status, alive.status], [503, 503, 503, 200]);
    assert.match(await page.text(), /role="alert"/);
    assert.match(await ready.text(), /"ready":false,"reason":".*Redis/);
    assert.doesNotMatch(await api.text(), /127\.0\.0\.1|at .*js/);
    await redis.start();
    await eventually("ready again", isReady);
  });

  it("finishes what it has begun when it is told to end", async () => {
    const own = await serve(connection());
    await eventually(
      "ready",
      async () => (await fetch(`${own.url}/readyz`).catch(() => undefined))?.status === 200,
      15_000,
    );
    redis.silence();
    const answer = fetch(`${own.url}/`);
    await sleep(300);
    own.process.kill("SIGTERM");
    await sleep(300);
    redis.resume();
    assert.equal((await answer).status, 200);
    const late = sleep(9000, "late", { ref: false });
    assert.notEqual(await Promise.race([once(own.process, "exit"), late]), "late");
    await assert.rejects(fetch(own.url));
  });

  it("is not ready with a wrong password, and keeps it out of its log", async () => {
    const own = await serve({ ...connection(), REDIS_PASSWORD: "battery-staple" });
    try {
      await eventually("the refusal is logged", () => Promise.resolve(own.output().includes("WRONGPASS")), 15_000);
      const response = await fetch(`${own.url}/readyz`);
      assert.equal(response.status, 503);
      assert.match(await response.text(), /refuses the user or password/);
      assert.ok(!own.output().includes("battery-staple"));
    } finally {
      own.process.kill("SIGKILL");
    }
  });

  it("ends at once with settings that cannot work", async () => {
    const own = await serve({ REDIS_PORT: "none" });
    const [code] = (await once(own.process, "exit")) as [number];
    assert.equal(code, 1);
    assert.match(own.output(), /cannot start: REDIS_HOST is not set.*REDIS_PORT is \\"none\\"/);
  });
});
