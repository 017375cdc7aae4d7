import assert from "node:assert/strict";
import { RedisPods, missingProgram, until } from "./redisPods";

const MISSING = missingProgram();
const OLD = (user: string): string => `password-of-${user}`;
const NEW = (user: string): string => `changed-${user}`;

/** Whether each of these servers lets somebody in with the one and with the other. */
type Doors = readonly [pod: number, server: "redis" | "sentinel"][];

describe("passwords of Redis that are changed while it runs", function () {
  this.timeout(120_000);
  const open: RedisPods[] = [];
  before(function () {
    if (!MISSING) return;
    console.log(`      skipped: ${MISSING}`);
    this.skip();
  });
  afterEach(() => Promise.all(open.splice(0).map((pods) => pods.end())));

  function start(...args: ConstructorParameters<typeof RedisPods>): RedisPods {
    const pods = new RedisPods(...args);
    open.push(pods);
    for (let pod = 0; pod < args[1]; pod++) pods.start(pod);
    return pods;
  }

  const serves = (pods: RedisPods): Promise<unknown> =>
    until("it serves", async () => (await pods.cli(0, "app", "PING")) === "PONG");

  const everywhere = (pods: RedisPods, doors: Doors, user: string, password: string, answer: boolean): boolean =>
    doors.every(([pod, server]) => pods.accepts(pod, user, password, server) === answer);

  async function now(pods: RedisPods, doors: Doors, what: string): Promise<void> {
    for (const [pod, server] of doors) {
      const { code, out } = await pods.script(pod, "passwords.sh", server, "now", what);
      assert.equal(code, 0, out);
    }
  }

  it("are taken beside the former ones, which are refused when it is time", async () => {
    const pods = start("standalone", 1, 65);
    await serves(pods);
    for (const user of ["app", "keeper", "probe"]) pods.setPassword(user, NEW(user));
    await until("the new one is taken", () => Promise.resolve(pods.accepts(0, "app", NEW("app"))));
    for (const user of ["app", "keeper", "probe"]) {
      assert.ok(pods.accepts(0, user, OLD(user)), `${user} is locked out before its time`);
      assert.ok(pods.accepts(0, user, NEW(user)));
      assert.ok(!pods.accepts(0, user, "neither"));
    }
    assert.equal((await pods.script(0, "probe.sh", "ready")).code, 0);
    await now(pods, [[0, "redis"]], "retire");
    for (const user of ["app", "keeper", "probe"]) {
      assert.ok(!pods.accepts(0, user, OLD(user)), `${user} gets in with what was replaced`);
      assert.ok(pods.accepts(0, user, NEW(user)));
    }
    assert.equal((await pods.script(0, "probe.sh", "ready")).code, 0);
  });

  it("leave those who are connected alone", async () => {
    const pods = start("standalone", 1, 65, false, { OVERLAP_SECONDS: "1" });
    await serves(pods);
    const connected = pods.connect(0, "app");
    try {
      assert.equal(await connected.ask("SET a 1"), "OK");
      pods.setPassword("app", NEW("app"));
      await until("the former one is refused by itself", () => Promise.resolve(!pods.accepts(0, "app", OLD("app"))));
      assert.equal(await connected.ask("GET a"), "1");
    } finally {
      connected.end();
    }
  });

  it("are good in twos after the server was killed in between, and never in threes", async () => {
    const pods = start("standalone", 1, 65);
    await serves(pods);
    pods.setPassword("app", NEW("app"));
    await until("the new one is taken", () => Promise.resolve(pods.accepts(0, "app", NEW("app"))));
    pods.kill(0);
    await until("it serves again", async () => (await pods.cli(0, "app", "PING")) === "PONG");
    assert.ok(pods.accepts(0, "app", OLD("app")));
    pods.setPassword("app", "third");
    await until("the third is taken", () => Promise.resolve(pods.accepts(0, "app", "third")));
    assert.ok(!pods.accepts(0, "app", OLD("app")));
    assert.ok(pods.accepts(0, "app", NEW("app")));
    // And back: what was current a moment ago is so again, and is not refused with the one that goes.
    pods.setPassword("app", NEW("app"));
    await until("it is taken back", () => Promise.resolve(/taken|former/.test(pods.log(0, "redis"))));
    await now(pods, [[0, "redis"]], "retire");
    assert.ok(pods.accepts(0, "app", NEW("app")));
    assert.ok(!pods.accepts(0, "app", "third"));
  });

  it("say so where they cannot be changed", async () => {
    const pods = start("standalone", 1, 65);
    await serves(pods);
    await pods.remove(0);
    const { code, out } = await pods.script(0, "passwords.sh", "redis", "now", "take");
    assert.equal(code, 1, out);
  });

  for (const tls of [false, true])
    it(`change among servers and sentinels${tls ? " over TLS" : ""} without one that loses the others`, async () => {
      const pods = start("sentinel", 3, tls ? 67 : 66, tls);
      const all = [0, 1, 2];
      const doors: Doors = all.flatMap((pod): Doors => [
        [pod, "redis"],
        [pod, "sentinel"],
      ]);
      const following = async (): Promise<boolean> => {
        const [master, ...more] = await pods.masters();
        return master !== undefined && more.length === 0 && (await pods.info(master)).connected_slaves === "2";
      };
      await until("two replicas follow", following, 40_000);
      const [master = 0] = await pods.masters();
      for (const user of ["keeper", "sentinel", "replication", "probe"]) pods.setPassword(user, NEW(user));
      await now(pods, doors, "take");
      await now(pods, doors, "use");
      await now(pods, doors, "retire");
      assert.ok(everywhere(pods, doors, "keeper", OLD("keeper"), false));
      assert.ok(everywhere(pods, doors, "keeper", NEW("keeper"), true));
      // Who is told to follow the other comes with its password.
      assert.deepEqual(await pods.masters(), [master]);
      pods.kill(master);
      await until("another master", async () => (await pods.masters()).some((pod) => pod !== master), 30_000);
      await until("two replicas follow again", following, 40_000);
      for (const pod of all) assert.doesNotMatch(pods.log(pod, "sentinel"), /WRONGPASS/);
    });

  it("change in a cluster, whose replicas come back to their masters with them", async () => {
    const pods = start("cluster", 6, 68);
    const formed = await pods.script(0, "resize.sh", "grow", "3", "1");
    assert.equal(formed.code, 0, formed.out);
    const doors = pods.running().map((pod) => [pod, "redis"] as const);
    for (const user of ["keeper", "replication", "resize"]) pods.setPassword(user, NEW(user));
    for (const what of ["take", "use", "retire"])
      for (const [pod, server] of doors)
        assert.equal((await pods.script(pod, "passwords.sh", server, "now", what)).code, 0);
    const infos = await Promise.all(pods.running().map((pod) => pods.info(pod)));
    const replicas = pods.running().filter((_, index) => infos[index]?.role === "slave");
    assert.equal(replicas.length, 3);
    for (const pod of replicas) pods.kill(pod);
    for (const pod of replicas)
      await until(`${pod} follows again`, async () => (await pods.info(pod)).master_link_status === "up", 30_000);
    assert.equal((await pods.script(0, "resize.sh", "grow", "3", "1")).code, 0);
  });
});
