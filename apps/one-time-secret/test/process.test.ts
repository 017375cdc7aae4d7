import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { PASSWORD, RedisServer, eventually, freePort, redisProgram } from "./redisServer";

const { path, skip } = redisProgram();
const KEY = "application-key-application-key-1";

interface Running {
  url: string;
  child: ChildProcess;
  output: () => string;
}

describe("the process", () => {
  const running: Running[] = [];
  afterEach(() => running.splice(0).forEach(({ child }) => child.kill("SIGKILL")));

  async function run(environment: Record<string, string>): Promise<Running> {
    const port = await freePort();
    const own = {
      PORT: String(port),
      HOST: "127.0.0.1",
      OTS_KEY: KEY,
      REDIS_HOST: "127.0.0.1",
      PATH: process.env.PATH,
    };
    const child = spawn(process.execPath, ["--import", "tsx", "src/main.ts"], {
      cwd: join(__dirname, ".."),
      env: { ...own, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
    const started = { url: `http://127.0.0.1:${port}`, child, output: () => output };
    running.push(started);
    return started;
  }
  const get = async ({ url }: Running, what: string): Promise<number> => (await fetch(`${url}${what}`)).status;
  const up = (app: Running): Promise<void> =>
    eventually("it answers", async () => (await get(app, "/healthz")) === 200);

  it("ends at once where its settings are wrong, and says all that is", async () => {
    const { child, output } = await run({ OTS_KEY: "short", REDIS_HOST: "", REDIS_MODE: "ha" });
    assert.deepEqual(await once(child, "close"), [1, null]);
    const { level, message } = JSON.parse(output()) as { level: string; message: string };
    assert.equal(level, "error");
    assert.match(message, /^cannot start: OTS_KEY has 5 characters.*REDIS_HOST is not set.*REDIS_MODE is "ha"/);
  });

  it("ends at once where its port is taken", async () => {
    const first = await run({ REDIS_PORT: String(await freePort()) });
    await up(first);
    const { child, output } = await run({ PORT: new URL(first.url).port, REDIS_PORT: String(await freePort()) });
    assert.deepEqual(await once(child, "close"), [1, null]);
    assert.match(output(), /cannot listen on port \d+: EADDRINUSE/);
  });

  it("lives without Redis, says that it is not ready, and ends when told to", async () => {
    const app = await run({ REDIS_PORT: String(await freePort()) });
    await up(app);
    assert.equal(await get(app, "/readyz"), 503);
    assert.equal(await get(app, "/"), 200);
    app.child.kill("SIGTERM");
    await eventually("it says so", async () => (await get(app, "/readyz").catch(() => 503)) === 503);
    assert.deepEqual(await once(app.child, "close"), [0, null]);
    assert.match(app.output(), /stopping after SIGTERM.*\n.*stopped/);
  });

  it("says once that Redis refuses its password, and not which", { skip }, async () => {
    const redis = await RedisServer.start(path);
    const login = { REDIS_PORT: String(redis.port), REDIS_USERNAME: "app", REDIS_PASSWORD: "battery-staple" };
    const app = await run(login);
    await up(app);
    const ready = await fetch(`${app.url}/readyz`);
    assert.match(await ready.text(), /Redis refuses the user or password \(WRONGPASS\)/);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(app.output().match(/no connection to Redis.*WRONGPASS/g)?.length, 1);
    assert.ok(!app.output().includes("battery-staple"));
    await redis.remove();
  });

  it("tells its log nothing of what it is given, whatever happens", { skip }, async () => {
    const redis = await RedisServer.start(path);
    const app = await run({ REDIS_PORT: String(redis.port), REDIS_USERNAME: "app", REDIS_PASSWORD: PASSWORD });
    await eventually("ready", async () => (await get(app, "/readyz")) === 200);
    const post = async (what: string, body: string): Promise<{ status: number; body: Record<string, string> }> => {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(`${app.url}/api/v1/secrets${what}`, { method: "POST", headers, body });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    };
    const [secret, passphrase] = ["top-secret-text", "passphrase-text"];
    const { body } = await post("", JSON.stringify({ secret, passphrase }));
    const { id = "", key = "" } = body;
    assert.equal((await post(`/${id}/reveal`, JSON.stringify({ key, passphrase: "wrong-text" }))).status, 403);
    assert.equal((await post("", `{"secret": "${secret}`)).status, 400);
    const other = new RegExp(`one-time-secret:\\S+:sealed`).exec(redis.command("KEYS", "*"))?.[0] ?? "";
    const sealed = redis.command("GET", other);
    redis.command("SET", other, `${sealed.slice(0, -3)}AAA`, "KEEPTTL");
    assert.equal((await post(`/${id}/reveal`, JSON.stringify({ key, passphrase }))).status, 403);
    redis.command("SET", other, "no such format", "KEEPTTL");
    assert.equal((await post(`/${id}/reveal`, JSON.stringify({ key, passphrase }))).status, 503);
    redis.command("SET", other, sealed, "KEEPTTL");
    await redis.stop();
    assert.equal((await post(`/${id}/reveal`, JSON.stringify({ key, passphrase }))).status, 503);
    await redis.start();
    await eventually("ready", async () => (await get(app, "/readyz")) === 200);
    assert.equal((await post(`/${id}/reveal`, JSON.stringify({ key, passphrase }))).body.secret, secret);
    await redis.remove();
    for (const word of [secret, passphrase, "wrong-text", id, key, KEY, PASSWORD, sealed])
      assert.ok(!app.output().includes(word), `the log has ${word}`);
    assert.doesNotMatch(app.output(), /broken off|unhandled/i);
    for (const line of app.output().trim().split("\n"))
      assert.deepEqual(Object.keys(JSON.parse(line) as object), ["time", "level", "message"]);
  });
});
