import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { PatroniPods } from "./patroniPods";
import { missingProgram } from "./postgresPod";
import { until } from "./redisPods";

const MISSING = missingProgram("replicated");
/** Seconds within which a copy takes over when nobody could say goodbye: the lease's, and a look at it. */
const TAKEOVER_S = 30;

describe("the scripts of Postgres with copies", function () {
  this.timeout(180_000);
  let set: PatroniPods;
  const all = [0, 1, 2];
  before(async function () {
    if (MISSING) {
      console.log(`      skipped: ${MISSING}`);
      this.skip();
    }
    set = await PatroniPods.make(3, 73);
    for (const pod of set.pods) pod.login("web.web.20", "password-of-web");
    all.forEach((ordinal) => set.start(ordinal));
    await set.settled(2);
    await set.asApp("CREATE TABLE things (id int PRIMARY KEY)");
  });
  after(() => set?.end());
  afterEach(async function () {
    if (this.currentTest?.state === "failed") for (const line of set.stories()) console.log(line);
    else await set.settled(2);
  });

  it("begin with pod 0, every pod ready, and ask for nothing beyond their Role", async () => {
    assert.equal(await set.settled(2), 0);
    await until("everybody is ready", () => Promise.resolve(set.pods.every((pod) => pod.isReady())));
    assert.deepEqual(set.api.forbidden, []);
  });

  it("confirm no write that one server alone has", async () => {
    const primary = await set.settled(2);
    const names = await set.ask(primary, "SHOW synchronous_standby_names");
    assert.equal(names, `"${set.api.annotation("postgres-sync", "sync_standby")}"`);
    assert.equal(await set.ask(primary, "SHOW synchronous_commit"), "on");
    for (const copy of all.filter((ordinal) => ordinal !== primary)) set.pod(copy).freeze(true);
    try {
      assert.deepEqual(await set.asApp("INSERT INTO things VALUES (-2)"), { code: 1, out: "no answer" });
    } finally {
      for (const pod of set.pods) pod.freeze(false);
    }
  });

  it("let nobody follow but with the servers' password, and over TLS", async () => {
    const refused = await set.pod(0).client("replicator", "wrong", "postgres", "SELECT 1", { replication: "true" });
    assert.match(refused.out, /password authentication failed/);
    const open = { replication: "true", sslmode: "disable" };
    assert.match((await set.pod(0).client("replicator", "any", "postgres", "SELECT 1", open)).out, /no encryption/);
    const app = await set.pod(0).client("web", "password-of-web", "web", "SELECT 1", { replication: "true" });
    assert.match(app.out, /no pg_hba.conf entry for replication/);
  });

  it("hand over before a pod stops, with every confirmed write", async () => {
    const old = await set.settled(2);
    const { gap } = await set.whileWriting(async () => {
      await set.pod(old).stop("patroni");
      await set.pod(old).kill();
      await sleep(3000);
      set.start(old);
    });
    assert.notEqual(await set.settled(2), old);
    assert.ok(gap < 10, `no write for ${gap} s`);
  });

  it("replace a pod that was killed, with every confirmed write, and take it in again as a copy", async () => {
    const old = await set.settled(2);
    const { gap, most } = await set.whileWriting(async () => {
      await set.pod(old).kill();
      await until("another one", async () => (await set.primaries()).some((each) => each !== old), TAKEOVER_S * 1000);
      set.start(old);
    });
    assert.notEqual(await set.settled(2), old);
    assert.ok(gap < TAKEOVER_S, `no write for ${gap} s`);
    assert.equal(most, 1);
  });

  it("lose nothing where the server alone was killed, whoever goes on", async () => {
    const old = await set.settled(2);
    const { gap } = await set.whileWriting(async () => {
      set.pod(old).signal("SIGKILL");
      await sleep(5000);
    });
    assert.ok(gap < TAKEOVER_S, `no write for ${gap} s`);
  });

  it("go on without the API server, as long as all see each other", async () => {
    const { gap } = await set.whileWriting(async () => {
      set.api.setAway(true);
      await sleep(25_000);
      set.api.setAway(false);
    });
    assert.ok(gap < 5, `no write for ${gap} s`);
  });

  it("find one that takes the writes, with every confirmed one, after all pods were killed at once", async () => {
    await set.asApp("INSERT INTO things VALUES (-1)");
    await Promise.all(set.pods.map((pod) => pod.kill()));
    all.forEach((ordinal) => set.start(ordinal));
    await set.settled(2);
    assert.equal((await set.asApp("SELECT count(*) FROM things WHERE id = -1")).out, "1");
  });

  it("copy anew to a pod that lost its volume, be it the first", async () => {
    const primary = await set.settled(2);
    const lost = primary === 0 ? 1 : 0;
    await set.pod(lost).kill();
    set.pod(lost).loseVolume();
    set.start(lost);
    assert.equal(await set.settled(2), primary);
    assert.equal(await set.ask(lost, "SELECT count(*) FROM pg_database WHERE datname = 'web'"), "1");
  });

  it("follow a password of the servers that was changed, each in its own time", async () => {
    const primary = await set.settled(2);
    const copy = all.find((ordinal) => ordinal !== primary) ?? 0;
    for (const pod of set.pods) pod.login("replicator", "an:other \\ one");
    await until("the new one is taken", async () => {
      const said = await set.pod(primary).client("replicator", "an:other \\\\ one", "postgres", "SHOW port", {
        replication: "true",
      });
      return said.code === 0;
    });
    await set.pod(copy).kill();
    set.start(copy);
    assert.equal(await set.settled(2), primary);
  });

  it("agree on what the stack file says after they began", async () => {
    const primary = await set.settled(2);
    const file = set.pod(primary).files("dynamic.json");
    const changed = { ...(JSON.parse(readFileSync(file, "utf8")) as object), maximum_lag_on_failover: 4096 };
    writeFileSync(file, JSON.stringify(changed));
    await set.pod(primary).stop("keeper", "SIGKILL");
    set.pod(primary).newTmp("done");
    set.pod(primary).start("keeper");
    await until("all know it", () =>
      Promise.resolve(/"maximum_lag_on_failover":4096/.test(set.api.annotation("postgres-config", "config") ?? "")),
    );
  });

  it("show no password in a log", () => {
    for (const pod of set.pods)
      for (const log of ["patroni", "keeper"]) assert.doesNotMatch(pod.log(log), /password-of-|an:other/);
  });
});

describe("the scripts of a Postgres with copies, at their first start", function () {
  this.timeout(180_000);
  let set: PatroniPods;
  beforeEach(async function () {
    if (MISSING) this.skip();
    set = await PatroniPods.make(2, 74);
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed") for (const line of set.stories()) console.log(line);
    await set?.end();
  });

  it("begin anew where making the first data was cut off", async () => {
    set.api.annotate("postgres-config", "initialize", "");
    set.pod(0).put("postgres", "PG_VERSION", "15\n");
    set.start(0);
    await set.settled(0);
    assert.match(set.pod(0).log("patroni"), /is not whole, and is removed[^]*begun anew/);
  });

  it("go on with the data of a single server, for which a pod that holds nothing does not make wait", async () => {
    const pod = set.pod(0);
    pod.asSingle();
    pod.start("server");
    await until("it serves", async () => (await pod.script("probe", "ready")) === 0);
    assert.deepEqual(await pod.inside("postgres", "CREATE TABLE kept AS SELECT 1 AS id"), { code: 0, out: "" });
    set.api.put("pods", "postgres-0", set.labels);
    set.start(1);
    const isReady = async (ordinal: number): Promise<boolean> =>
      (await set.pod(ordinal).script("probe", "ready")) === 0;
    await until("the one without data is ready", async () => (await isReady(1)) && set.pod(1).isReady());
    await pod.stop("server");
    set.start(0);
    await set.settled(1);
    assert.equal(await set.ask(0, "SELECT id FROM kept"), "1");
    assert.equal(await set.ask(1, "SELECT id FROM kept"), "1");
    await set.pod(1).kill();
    set.pod(1).loseVolume();
    set.start(1);
    assert.ok(!(await isReady(1)), "ready without data, although there is a leader");
  });
});
