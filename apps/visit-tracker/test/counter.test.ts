import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { VisitCounter } from "../src/visits/counter";
import { eventually, freePort, PASSWORD, redisProgram, RedisServer } from "./redisServer";

const program = redisProgram();

describe("the counter", { skip: "skip" in program && program.skip }, () => {
  let redis: RedisServer;
  const open: VisitCounter[] = [];

  before(async () => (redis = await RedisServer.start("path" in program ? program.path : "")));
  after(() => redis.remove());
  afterEach(() => {
    for (const counter of open.splice(0)) counter.close();
  });

  function counterWith(settings: { port?: number; password?: string } = {}): VisitCounter {
    const connection = {
      mode: "standalone" as const,
      host: "127.0.0.1",
      port: redis.port,
      username: "app",
      password: PASSWORD,
      tls: false,
    };
    const counter = new VisitCounter({ ...connection, ...settings });
    open.push(counter);
    return counter;
  }
  async function ready(counter: VisitCounter): Promise<VisitCounter> {
    await eventually("Redis answers", async () => (await counter.fault(1000)) === undefined);
    return counter;
  }
  async function timed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
    const start = Date.now();
    return { result: await work, ms: Date.now() - start };
  }

  it("starts at nothing and counts every visit once, also when many come at a time", async () => {
    const counter = await ready(counterWith());
    assert.deepEqual(await counter.visits(), { visits: 0 });
    assert.deepEqual(await counter.visit(), { visits: 1 });
    const other = await ready(counterWith());
    await Promise.all(Array.from({ length: 50 }, (_, index) => (index % 2 ? counter : other).visit()));
    assert.deepEqual(await counter.visits(), { visits: 51 });
  });

  it("says at once that it is not connected", async () => {
    const { result, ms } = await timed(counterWith({ port: await freePort() }).visit());
    assert.deepEqual(result, { fault: "not connected to Redis yet" });
    assert.ok(ms < 200, `${ms} ms`);
  });

  it("names a wrong password and gives it away nowhere", async (context) => {
    const lines: string[] = [];
    for (const stream of [process.stdout, process.stderr]) {
      context.mock.method(stream, "write", (line: string) => lines.push(line) > 0);
    }
    const counter = counterWith({ password: "battery-staple" });
    await eventually("refusal", async () => /WRONGPASS/.test((await counter.fault(1000)) ?? ""));
    context.mock.restoreAll();
    const said = lines.join("");
    assert.match(
      said,
      /"level":"error".*no connection to Redis at 127\.0\.0\.1:\d+: Redis refuses the user or password/,
    );
    assert.ok(!said.includes("battery-staple"));
    assert.equal(lines.filter((line) => line.includes("WRONGPASS")).length, 1, "said once");
  });

  it("fails fast while Redis is away and goes on where it was once it is back", async () => {
    const counter = await ready(counterWith());
    const before = await counter.visit();
    await redis.stop();
    const { result, ms } = await timed(counter.visit());
    assert.ok("fault" in result && ms < 2000, JSON.stringify({ result, ms }));
    await redis.start();
    await ready(counter);
    assert.deepEqual(await counter.visits(), before);
  });

  it("fails fast while Redis is silent, and recovers by itself", async () => {
    const counter = await ready(counterWith());
    redis.silence();
    try {
      const [visit, probe] = await Promise.all([timed(counter.visit()), timed(counter.fault(1000))]);
      assert.deepEqual(visit.result, { fault: "Redis does not answer in time" });
      assert.ok(visit.ms < 2000, `${visit.ms} ms`);
      assert.equal(probe.result, "Redis does not answer in time");
      assert.ok(probe.ms < 1200, `${probe.ms} ms`);
    } finally {
      redis.resume();
    }
    await ready(counter);
  });
});
