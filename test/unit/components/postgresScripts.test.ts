import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { PostgresPod, missingProgram } from "./postgresPod";
import { until } from "./redisPods";

const MISSING = missingProgram();

describe("the scripts of Postgres", function () {
  this.timeout(180_000);
  let pod: PostgresPod;
  before(async function () {
    if (MISSING) {
      console.log(`      skipped: ${MISSING}`);
      this.skip();
    }
    pod = await PostgresPod.make();
    pod.login("web.web.5", "password-of-web");
    pod.login("shop.orders.5", `it's "quoted" \\ $HOME :'role'`);
    pod.start("server");
    pod.start("keeper");
    await until("everybody has a login", () => Promise.resolve(pod.isReady()), 30_000);
  });
  after(() => pod?.end());

  const lets = async (user: string, password: string, database: string): Promise<boolean> =>
    (await pod.client(user, password, database)).code === 0;

  it("give each application a role and a database of its own, whatever its password holds", async () => {
    assert.deepEqual(await pod.client("web", "password-of-web", "web", "SELECT current_database()"), {
      code: 0,
      out: "web",
    });
    const orders = { password: `it\\'s "quoted" \\\\ $HOME :\\'role\\'` };
    assert.equal((await pod.client("shop", "", "orders", "SELECT 1", orders)).code, 0);
    const made = await pod.client(
      "web",
      "password-of-web",
      "web",
      "CREATE TABLE things (id int); INSERT INTO things VALUES (1)",
    );
    assert.deepEqual(made, { code: 0, out: "" });
  });

  it("let nobody into a database that is not theirs", async () => {
    for (const database of ["orders", "postgres", "template1"])
      assert.match((await pod.client("web", "password-of-web", database)).out, /permission denied for database/);
  });

  it("give an application no right beyond its database, and no more connections than are its own", async () => {
    const rights = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls";
    const asked = `SELECT ${rights}, rolconnlimit FROM pg_roles WHERE rolname = 'web'`;
    assert.equal((await pod.client("web", "password-of-web", "web", asked)).out, "f|5");
    for (const statement of [
      "CREATE ROLE more",
      "CREATE DATABASE more",
      "SELECT pg_read_file('/etc/passwd')",
      "COPY (SELECT 1) TO PROGRAM 'id'",
    ])
      assert.match(
        (await pod.client("web", "password-of-web", "web", statement)).out,
        /permission denied|must be superuser/,
        statement,
      );
  });

  it("refuse a wrong password, a connection in the open, and the superuser over the network", async () => {
    assert.match((await pod.client("web", "wrong", "web")).out, /password authentication failed/);
    assert.match(
      (await pod.client("web", "password-of-web", "web", "SELECT 1", { sslmode: "disable" })).out,
      /no encryption/,
    );
    assert.match((await pod.client("postgres", "any", "postgres")).out, /pg_hba.conf rejects/);
    assert.match((await pod.inside("web", "SELECT 1", "web")).out, /no pg_hba.conf entry/);
  });

  it("let people in from inside the pod only, with the rights of each application and none to make roles", async () => {
    const asked = await pod.client("admin", "password-of-admin", "web", "SELECT id FROM things");
    assert.deepEqual(asked, { code: 0, out: "1" });
    assert.match((await pod.client("admin", "password-of-admin", "web", "CREATE ROLE more")).out, /permission denied/);
    assert.match((await pod.inside("admin", "SELECT 1")).out, /no pg_hba.conf entry/);
  });

  it("know the exporter by its user, let it look at figures, and take nobody else for the superuser", async function () {
    if (!pod.mayChangeUser) return this.skip();
    const nobody = 65534;
    assert.equal((await pod.inside("exporter", "SELECT pg_database_size('web') > 0", "postgres", nobody)).out, "t");
    assert.match((await pod.inside("exporter", "CREATE TABLE mine ()", "postgres", nobody)).out, /permission denied/);
    for (const user of ["postgres", "web", "admin"])
      assert.match((await pod.inside(user, "SELECT 1", "postgres", nobody)).out, /authentication failed|no pg_hba/);
    assert.match((await pod.client("exporter", "any", "postgres")).out, /authentication failed/);
  });

  it("show no password in a log", () => {
    for (const log of ["server", "keeper"]) assert.doesNotMatch(pod.log(log), /password-of|quoted/);
    assert.match(pod.log("keeper"), /applied: web\.web\.5/);
  });

  it("follow a password that was changed, and refuse the old one", async () => {
    pod.login("web.web.5", "another");
    await until("the new one is taken", async () => await lets("web", "another", "web"));
    assert.match((await pod.client("web", "password-of-web", "web")).out, /password authentication failed/);
  });

  it("hold a changed password until clients have it, and a new application none", async () => {
    const restart = async (hold: string): Promise<void> => {
      await pod.stop("keeper");
      pod.hold = hold;
      pod.start("keeper");
    };
    await restart("3600");
    try {
      pod.login("web.web.5", "the third");
      await until("it is held", () => Promise.resolve(pod.log("keeper").includes("held: web.web.5")));
      pod.login("soon.soon.3", "password-of-soon");
      await until("a new one is not", async () => await lets("soon", "password-of-soon", "soon"));
      assert.ok(pod.accepts("web", "web", "another"));
      assert.ok(!pod.accepts("web", "web", "the third"));
      assert.equal(await pod.script("keeper", "now"), 0);
      assert.ok(pod.accepts("web", "web", "the third"));
      assert.ok(!pod.accepts("web", "web", "another"));
      pod.login("web.web.5", "another");
      await restart("1");
      await until("it is taken by itself", () => Promise.resolve(pod.accepts("web", "web", "another")));
      assert.throws(() => pod.accepts("web", "nowhere", "another"), /nowhere/);
    } finally {
      pod.forget("soon.soon.3");
      await restart("0");
    }
  });

  it("take up an application that comes, and close what is no more listed, with its data kept", async () => {
    pod.login("late.late.3", "password-of-late");
    await until("it has its database", async () => await lets("late", "password-of-late", "late"));
    pod.forget("late.late.3");
    // A round that is under way finds its file gone, and takes its password first.
    await until("its login is closed", async () =>
      (await pod.client("late", "password-of-late", "late")).out.includes("not permitted to log in"),
    );
    assert.equal((await pod.inside("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'late'")).out, "1");
    assert.ok(await lets("web", "another", "web"), "others stay");
  });

  it("go on with the others where one cannot be applied", async () => {
    pod.login("bad.bad.no-number", "password-of-bad");
    pod.login("good.good.3", "password-of-good");
    await until("the good one is there", async () => await lets("good", "password-of-good", "good"));
    assert.doesNotMatch(pod.log("keeper"), /password-of/);
    pod.forget("bad.bad.no-number");
    pod.forget("good.good.3");
  });

  it("have a renewed certificate read without a restart", async () => {
    const openssl = (args: string[], input: string): string =>
      execFileSync("openssl", args, { input, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] });
    const serial = (): string => {
      const shown = openssl(["s_client", "-starttls", "postgres", "-connect", `127.0.0.1:${pod.port}`], "");
      return openssl(["x509", "-noout", "-serial"], shown);
    };
    const before = serial();
    const started = (await pod.inside("postgres", "SELECT pg_postmaster_start_time()")).out;
    pod.certify();
    await until("another certificate", () => Promise.resolve(serial() !== before));
    assert.equal((await pod.inside("postgres", "SELECT pg_postmaster_start_time()")).out, started);
  });

  it("end within seconds although a client stays, and keep what was written", async () => {
    pod.linger("web", "another", "web");
    const asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
    await until("the client is there", async () => (await pod.inside("postgres", asked)).out === "1");
    const began = Date.now();
    assert.equal(await pod.stop("server"), 0);
    assert.ok(Date.now() - began < 10_000);
    assert.notEqual(await pod.script("probe", "alive"), 0);
    pod.start("server");
    await until("it serves", async () => (await pod.script("probe", "ready")) === 0);
    assert.equal(await pod.script("probe", "alive"), 0);
    assert.deepEqual(await pod.client("web", "another", "web", "SELECT id FROM things"), { code: 0, out: "1" });
  });

  it("come back after a kill with all that was confirmed", async () => {
    await pod.client("web", "another", "web", "INSERT INTO things VALUES (2)");
    await pod.kill();
    pod.start("server");
    await until("it serves", async () => (await pod.script("probe", "ready")) === 0);
    assert.equal((await pod.client("web", "another", "web", "SELECT sum(id) FROM things")).out, "3");
  });

  it("keep checksums, and the data from others of the machine", async () => {
    assert.equal((await pod.inside("postgres", "SHOW data_checksums")).out, "on");
    assert.equal(statSync(pod.data()).mode & 0o777, 0o700);
  });
});

describe("the scripts of Postgres, on a volume", function () {
  this.timeout(180_000);
  let pod: PostgresPod;
  beforeEach(async function () {
    if (MISSING) this.skip();
    pod = await PostgresPod.make();
  });
  afterEach(() => pod?.end());

  const ended = async (): Promise<number | null> => {
    const child = pod.start("server");
    return new Promise((done) => child.once("exit", done));
  };

  it("begin anew where making the data was cut off", async () => {
    pod.put("postgres.new", "PG_VERSION", "15");
    pod.start("server");
    await until("it serves", async () => (await pod.script("probe", "ready")) === 0, 20_000);
  });

  it("leave the data to one server, until its last process has ended", async () => {
    const started = /starting PostgreSQL/g;
    pod.start("server");
    await until("it serves", async () => (await pod.script("probe", "ready")) === 0, 20_000);
    const former = pod.leave();
    const next = pod.start("server");
    await until("the next one waits", () => Promise.resolve(/waiting until it has ended/.test(pod.log("server"))));
    assert.equal((await pod.inside("postgres", "SELECT 1")).out, "1", "the former serves");
    assert.equal(pod.log("server").match(started)?.length, 1);
    former.kill("SIGTERM");
    await until("the next one starts", () => Promise.resolve(pod.log("server").match(started)?.length === 2));
    assert.match(pod.log("server"), /database system is shut down[^]*starting PostgreSQL[^]*$/);
    await until("the next one serves", async () => (await pod.script("probe", "ready")) === 0);
    const third = pod.start("server");
    await until("a third one waits", () => Promise.resolve(pod.log("server").match(/waiting until/g)?.length === 2));
    for (const each of [third, next]) {
      const ended = once(each, "exit");
      each.kill("SIGTERM");
      assert.deepEqual(await ended, [0, null], "it ends when it is told to");
    }
  });

  it("touch nothing that they do not know", async () => {
    pod.put("postgres", "precious", "kept");
    assert.equal(await ended(), 1);
    assert.match(pod.log("server"), /holds no data of Postgres, and is not empty/);
    assert.equal(readFileSync(pod.data("precious"), "utf8"), "kept");
  });

  it("refuse a copy of another server's data, which may lack its last writes", async () => {
    for (const file of ["PG_VERSION", "standby.signal"]) pod.put("postgres", file, "15\n");
    assert.equal(await ended(), 1);
    assert.match(pod.log("server"), /cannot be single again/);
  });
});
