import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import * as tls from "node:tls";
import { RedisPods, missingProgram, until } from "./redisPods";

const MISSING = missingProgram();

/** Nobody may see two masters, ever: how many there were at most while something went on. */
async function mostMasters<T>(pods: RedisPods, work: () => Promise<T>): Promise<{ most: number; result: T }> {
  let most = 0;
  let over = false;
  const watching = (async () => {
    while (!over) {
      most = Math.max(most, (await pods.masters()).length);
      await sleep(100);
    }
  })();
  try {
    return { result: await work(), most };
  } finally {
    over = true;
    await watching;
  }
}

describe("the scripts of Redis with sentinels", function () {
  this.timeout(180_000);
  const all = [0, 1, 2];
  let pods: RedisPods;
  before(function () {
    if (MISSING) {
      console.log(`      skipped: ${MISSING}`);
      this.skip();
    }
    pods = new RedisPods("sentinel", 3, 62);
    all.forEach((pod) => pods.start(pod));
  });
  after(() => pods?.end());

  /** The one master, once both others follow it. */
  const settled = (): Promise<number> =>
    until(
      "one master with two replicas",
      async () => {
        const [master, ...more] = await pods.masters();
        if (master === undefined || more.length > 0) return undefined;
        const { connected_slaves } = await pods.info(master);
        return connected_slaves === "2" && { master };
      },
      40_000,
    ).then(({ master }) => master);

  it("begin with pod 0 as master, and every pod ready", async () => {
    assert.equal(await settled(), 0);
    for (const pod of all)
      await until(`pod ${pod} is ready`, async () => (await pods.script(pod, "probe.sh", "ready")).code === 0);
    assert.equal(await pods.cli(0, "app", "SET", "kept", "1"), "OK");
    assert.match(
      await pods.at(pods.host(1), "26379", "app", "SENTINEL", "get-master-addr-by-name", "redis"),
      /^127\.62\.0\.10/,
    );
  });

  it("let nobody in without a password, nor as the default user", () => {
    const env = { ...process.env, REDISCLI_AUTH: undefined };
    const cli = (...args: string[]): string =>
      execFileSync("redis-cli", ["-h", pods.host(0), ...args], { env, encoding: "utf8", stdio: "pipe" });
    assert.match(cli("GET", "kept"), /^NOAUTH/);
    for (const password of ["", "x"]) assert.match(cli("AUTH", "default", password), /^WRONGPASS/);
  });

  it("let no user do more than its part", async () => {
    assert.match(await pods.cli(0, "app", "CONFIG", "GET", "*"), /^NOPERM/);
    assert.match(await pods.cli(0, "probe", "GET", "kept"), /^NOPERM/);
    assert.match(await pods.cli(0, "exporter", "CONFIG", "GET", "masterauth"), /^NOPERM/);
    assert.match(await pods.cli(0, "keeper", "GET", "kept"), /^NOPERM/);
    assert.match(await pods.at(pods.host(0), "26379", "app", "SENTINEL", "FAILOVER", "redis"), /^NOPERM/);
  });

  it("replace a master that was killed, although it comes back at once", async () => {
    await until("the sentinels know the replicas", async () =>
      /^num-slaves\n2$/m.test(await pods.at(pods.host(1), "26379", "app", "SENTINEL", "MASTER", "redis")),
    );
    pods.kill(0);
    const master = await until("another master", async () => (await pods.masters()).find((pod) => pod !== 0), 15_000);
    assert.equal(await settled(), master);
    assert.equal(await pods.cli(master, "app", "GET", "kept"), "1");
  });

  it("hand over before the master stops, with every write", async () => {
    const old = await settled();
    await pods.cli(old, "app", "SET", "last", "written");
    const { most } = await mostMasters(pods, () => pods.script(old, "stop.sh"));
    const master = await settled();
    assert.notEqual(master, old);
    assert.ok(most <= 2, "more than the two who change places");
    assert.equal(await pods.cli(master, "app", "GET", "last"), "written");
  });

  it("find one master, and never two, after all pods went at once, and all that was written at once", async () => {
    const twice = "redis.call('SET', KEYS[1], 1) return redis.call('SET', KEYS[2], 2)";
    assert.equal(await pods.cli(await settled(), "app", "EVAL", twice, "2", "{both}1", "{both}2"), "OK");
    // What is written behind is on the disk within a second.
    await sleep(1500);
    await Promise.all(all.map((pod) => pods.remove(pod)));
    all.forEach((pod) => pods.start(pod));
    const { most, result } = await mostMasters(pods, settled);
    assert.equal(most, 1);
    assert.equal(await pods.cli(result, "app", "GET", "last"), "written");
    assert.equal(await pods.cli(result, "app", "MGET", "{both}1", "{both}2"), "1\n2");
  });

  it("let no empty server win, should the master come back without its volume", async () => {
    const master = await settled();
    await Promise.all(all.map((pod) => pods.remove(pod)));
    pods.loseVolume(master);
    all.forEach((pod) => pods.start(pod));
    const successor = await settled();
    assert.notEqual(successor, master);
    assert.equal(await pods.cli(successor, "app", "GET", "last"), "written");
  });
});

describe("the scripts of a Redis cluster", function () {
  this.timeout(180_000);
  let pods: RedisPods;
  before(function () {
    if (MISSING) this.skip();
    pods = new RedisPods("cluster", 6, 61);
    for (let pod = 0; pod < 6; pod++) pods.start(pod);
  });
  after(() => pods?.end());

  const resize = async (...args: string[]): Promise<string> => {
    const { code, out } = await pods.script(0, "resize.sh", ...args);
    assert.equal(code, 0, out);
    return out;
  };
  const keys = Array.from({ length: 60 }, (_, index) => `key-${index}`);
  const stored = async (from: number): Promise<string[]> =>
    pods.lines(
      from,
      "app",
      keys.map((key) => `GET ${key}`),
    );
  /** Each node's own line of CLUSTER NODES, by pod. */
  const own = async (): Promise<Map<number, string[]>> =>
    new Map(
      await Promise.all(
        pods.running().map(async (pod): Promise<[number, string[]]> => {
          const nodes = await pods.cli(pod, "app", "CLUSTER", "NODES");
          return [pod, (nodes.split("\n").find((line) => line.includes("myself")) ?? "").split(" ")];
        }),
      ),
    );
  const serving = async (): Promise<number[]> =>
    [...(await own())].flatMap(([pod, line]) => (line.length > 8 ? [pod] : []));

  it("form one unattended, with no replica on its master's machine", async () => {
    await resize("shrink", "3", "1");
    const report = await resize("grow", "3", "1");
    assert.equal((await serving()).length, 3);
    const nodes = await own();
    const podOf = new Map([...nodes].map(([pod, [id = ""]]) => [id, pod]));
    for (const [pod, [, , flags = "", master = ""]] of nodes)
      if (flags.includes("slave")) assert.notEqual((podOf.get(master) ?? 0) % 3, pod % 3, report);
    const answers = await pods.lines(
      0,
      "app",
      keys.map((key) => `SET ${key} ${key}`),
    );
    assert.deepEqual(new Set(answers), new Set(["OK"]));
  });

  it("change nothing the second time", async () => {
    const before = await own();
    await resize("shrink", "3", "1");
    await resize("grow", "3", "1");
    assert.deepEqual(
      [...(await own())].map(([, line]) => line[0] + (line[3] ?? "") + line.slice(8).join()),
      [...before].map(([, line]) => line[0] + (line[3] ?? "") + line.slice(8).join()),
    );
  });

  it("give the slots of a killed master to its replica before it comes back", async () => {
    const [killed = 0] = await serving();
    pods.kill(killed);
    await until("it is a replica", async () => (await pods.info(killed)).role === "slave");
    await until("it follows", async () => (await pods.info(killed)).master_link_status === "up");
    assert.ok(!(await serving()).includes(killed));
    assert.deepEqual(await stored(0), keys);
  });

  it("take a node that lost its volume in again, in its old place", async () => {
    const replica = pods.running().find((pod) => pod > 2) ?? 3;
    await pods.remove(replica);
    pods.loseVolume(replica);
    // With its volume it lost its slots, if it had any: its replica must have them before.
    await until(
      "the others see it gone",
      async () =>
        / (master,fail|slave,fail) .*connected$/m.test(await pods.cli(0, "app", "CLUSTER", "NODES")) || undefined,
      15_000,
    ).catch(() => undefined);
    pods.start(replica);
    await until("it follows a master", async () => (await pods.info(replica)).master_link_status === "up", 30_000);
    await until(
      "its old self is forgotten",
      async () => (await pods.cli(0, "app", "CLUSTER", "NODES")).split("\n").length === 6,
    );
  });

  it("find each other again after all pods went at once, and serve every key", async () => {
    await Promise.all(pods.running().map((pod) => pods.remove(pod)));
    for (let pod = 0; pod < 6; pod++) pods.start(pod);
    await until("every key is served", async () => (await stored(0)).join() === keys.join(), 30_000);
    assert.equal((await serving()).length, 3);
  });

  it("grow by a master and shrink again without losing a key, also when that is cut off", async () => {
    pods.start(6);
    pods.start(7);
    await until("new pods answer", async () => (await pods.info(7)).role);
    const cut = await pods.scriptFor(6000, 0, "resize.sh", "grow", "4", "1");
    assert.equal(cut.code, 137, "it was done too soon to be cut off");
    assert.match(await resize("grow", "4", "1"), /done: grow to 4/);
    assert.equal((await serving()).length, 4);
    assert.deepEqual(await stored(7), keys);
    await resize("shrink", "3", "1");
    assert.deepEqual(
      (await serving()).filter((pod) => pod > 5),
      [],
    );
    await Promise.all([pods.remove(6), pods.remove(7)]);
    await resize("grow", "3", "1");
    assert.deepEqual(await stored(0), keys);
  });
});

/** Of the certificate that is shown there. */
const fingerprint = (host: string, port: number): Promise<string> =>
  new Promise((done, fail) => {
    const socket = tls.connect({ host, port, rejectUnauthorized: false, timeout: 2000 }, () => {
      done(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once("error", fail);
    socket.once("timeout", () => socket.destroy(new Error(`${host}:${port} does not answer`)));
  });

describe("the scripts of Redis over TLS", function () {
  this.timeout(180_000);
  const open: RedisPods[] = [];
  before(function () {
    if (MISSING) this.skip();
  });
  after(() => Promise.all(open.map((pods) => pods.end())));

  const start = (mode: "sentinel" | "cluster", count: number, net: number): RedisPods => {
    const pods = new RedisPods(mode, count, net, true);
    open.push(pods);
    for (let pod = 0; pod < count; pod++) pods.start(pod);
    return pods;
  };

  it("bring up sentinels and their replicas, and hand over", async () => {
    const pods = start("sentinel", 3, 63);
    const following = async (): Promise<boolean> => {
      const [master] = await pods.masters();
      return master !== undefined && (await pods.info(master)).connected_slaves === "2";
    };
    await until("two replicas follow", following, 40_000);
    const [master = 0] = await pods.masters();
    assert.equal(await pods.cli(master, "app", "SET", "a", "1"), "OK");
    await until("the sentinels know the replicas", async () =>
      /^num-slaves\n2$/m.test(
        await pods.at(pods.host((master + 1) % 3), "26379", "app", "SENTINEL", "MASTER", "redis"),
      ),
    );
    assert.equal((await pods.script(master, "stop.sh")).code, 0);
    await until("another is master", async () => (await pods.masters()).some((pod) => pod !== master));
  });

  it("take a renewed certificate, servers and sentinels alike", async () => {
    const [pods] = open;
    assert.ok(pods);
    const shown = (): Promise<string[]> =>
      Promise.all([6379, 26379].flatMap((port) => [0, 1, 2].map((pod) => fingerprint(pods.host(pod), port))));
    const before = new Set(await shown());
    assert.equal(before.size, 1);
    pods.makeCertificate();
    await until("all show the new one", async () => {
      const now = new Set(await shown().catch(() => before));
      return now.size === 1 && ![...now].some((each) => before.has(each));
    });
    assert.equal(await pods.cli((await pods.masters())[0] ?? 0, "app", "GET", "a"), "1");
  });

  it("form a cluster, and bring it to another size", async () => {
    const pods = start("cluster", 6, 64);
    const formed = await pods.script(0, "resize.sh", "grow", "3", "1");
    assert.equal(formed.code, 0, formed.out);
    assert.equal(await pods.cli(0, "app", "-c", "SET", "a", "1"), "OK");
    pods.start(6);
    pods.start(7);
    await until("new pods answer", async () => (await pods.info(7)).role);
    const grown = await pods.script(0, "resize.sh", "grow", "4", "1");
    assert.equal(grown.code, 0, grown.out);
    assert.equal(await pods.cli(7, "app", "-c", "GET", "a"), "1");
  });
});

describe("the scripts of a Redis alone", function () {
  this.timeout(60_000);
  let pods: RedisPods;
  before(function () {
    if (MISSING) this.skip();
    pods = new RedisPods("standalone", 1, 66);
  });
  after(() => pods?.end());

  it("leave the data to one server, and lose nothing that the former one confirmed", async () => {
    const starts = (): number => pods.log(0, "redis").match(/Redis is starting/g)?.length ?? 0;
    const serves = (): Promise<unknown> =>
      until("it serves", async () => (await pods.cli(0, "app", "PING")) === "PONG");
    pods.start(0);
    await serves();
    const end = pods.leave(0);
    pods.start(0);
    await until("the next one waits", () => Promise.resolve(/waiting until it has ended/.test(pods.log(0, "redis"))));
    assert.equal(await pods.cli(0, "app", "SET", "late", "kept"), "OK", "the former serves");
    assert.equal(starts(), 1);
    end();
    await until("the next one starts", () => Promise.resolve(starts() === 2));
    await serves();
    assert.equal(await pods.cli(0, "app", "GET", "late"), "kept");
  });
});
