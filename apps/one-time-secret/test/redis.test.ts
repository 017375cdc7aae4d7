import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Cipher, nameOf } from "../src/cipher";
import { RedisStore, type RedisStoreSettings } from "../src/redis/store";
import { Secrets, Unanswered } from "../src/secrets";
import { Unavailable } from "../src/store";
import { PASSWORD, RedisServer, eventually, freePort, redisProgram } from "./redisServer";
import { keepsItsPromises } from "./storeContract";

const { path, skip } = redisProgram();
const cipher = new Cipher(["0123456789abcdef0123456789abcdef"]);
const DAY = 24 * 3_600_000;

const login = { mode: "standalone" as const, host: "127.0.0.1", username: "app", password: PASSWORD, tls: false };

async function connected(settings: RedisStoreSettings): Promise<RedisStore> {
  const store = new RedisStore(settings);
  await eventually("Redis answers", async () => (await store.fault(1000)) === undefined);
  return store;
}

async function timed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
  const start = Date.now();
  return { result: await work, ms: Date.now() - start };
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a single Redis", { skip }, () => {
  let redis: RedisServer;
  let store: RedisStore;

  before(async () => {
    redis = await RedisServer.start(path);
    store = await connected({ ...login, port: redis.port });
  });
  after(async () => {
    store.close();
    await redis.remove();
  });

  keepsItsPromises(
    () => store,
    (ms) => sleep(ms),
  );

  it("holds nothing from which a secret or a link could be read, and lets all of it go in time", async () => {
    redis.command("FLUSHALL");
    const secrets = new Secrets(store, cipher);
    const link = await secrets.create("correct horse", DAY, "battery staple");
    const keys = redis.command("KEYS", "*").split("\n").sort();
    assert.equal(keys.length, 2);
    const held = keys.map((key, index) => redis.command(index ? "GET" : "HGETALL", key)).join("\n");
    for (const part of ["correct horse", "battery staple", link.id, link.key])
      assert.ok(!`${keys.join()}${held}`.includes(part), part);
    for (const key of keys) assert.ok(Number(redis.command("PTTL", key)) > 0, `${key} goes by itself`);
    await secrets.reveal({ ...link, passphrase: "battery staple" });
    await eventually("what was read is gone", () => Promise.resolve(redis.command("EXISTS", keys[1] ?? "") === "0"));
  });

  it("keeps what it confirmed over a kill, and says what is the matter meanwhile", async () => {
    const secrets = new Secrets(store, cipher);
    const link = await secrets.create("hush", DAY);
    await redis.stop();
    const { result, ms } = await timed(failure(secrets.create("not kept", DAY)));
    assert.ok(result instanceof Unavailable && ms < 4000, JSON.stringify({ result, ms }));
    assert.match((await store.fault(1000)) ?? "", /Redis|connected/);
    await redis.start();
    await eventually("Redis answers", async () => (await store.fault(1000)) === undefined);
    assert.deepEqual(await secrets.reveal(link), { state: "revealed", secret: "hush" });
  });

  it("is waited for while it is gone for a moment", async () => {
    const secrets = new Secrets(store, cipher);
    const link = await secrets.create("hush", DAY);
    await redis.stop();
    const revealed = secrets.reveal(link);
    await redis.start();
    assert.deepEqual(await revealed, { state: "revealed", secret: "hush" });
  });

  it("that falls silent costs three seconds and no more", async () => {
    redis.silence();
    try {
      const { result, ms } = await timed(failure(store.look("name")));
      assert.ok(result instanceof Unavailable && ms < 3500, JSON.stringify({ result, ms }));
      const probe = await timed(store.fault(1000));
      assert.ok(probe.result !== undefined && probe.ms < 1200, JSON.stringify(probe));
    } finally {
      redis.resume();
    }
    await eventually("Redis answers", async () => (await store.fault(1000)) === undefined);
  });

  it("that is full takes no new secret, and opens those it has", async () => {
    const secrets = new Secrets(store, cipher);
    const link = await secrets.create("hush", DAY, "phrase");
    redis.command("CONFIG", "SET", "maxmemory", "1");
    try {
      const error = await failure(secrets.create("too much", DAY));
      assert.match((error as Error).message, /Redis has no room left \(OOM\)/);
      assert.equal((await secrets.reveal({ ...link, passphrase: "phrase" })).state, "revealed");
    } finally {
      redis.command("CONFIG", "SET", "maxmemory", "0");
    }
  });

  it("says which right a user lacks at once", async () => {
    redis.command("ACL", "SETUSER", "lesser", "on", `>${PASSWORD}`, "~one-time-secret:*", "+ping", "+info", "+eval");
    const lesser = await connected({ ...login, port: redis.port, username: "lesser" });
    const { result, ms } = await timed(failure(lesser.look("name")));
    lesser.close();
    assert.match((result as Error).message, /NOPERM|ERR/);
    assert.ok(ms < 1000, `${ms} ms`);
  });
});

describe("a Redis with a replica", { skip }, () => {
  let master: RedisServer;
  let replica: RedisServer;
  const open: RedisStore[] = [];
  const secretsWith = async (replicas?: number): Promise<Secrets> => {
    const store = await connected({ ...login, port: master.port, replicas });
    open.push(store);
    return new Secrets(store, cipher);
  };

  before(async () => {
    master = await RedisServer.start(path);
    replica = await RedisServer.start(path);
    await replica.follow(master);
    await eventually("the master knows its replica", () => master.says(/state=online/));
  });
  afterEach(() => open.splice(0).forEach((store) => store.close()));
  after(() => Promise.all([master.remove(), replica.remove()]));

  it("has given each confirmed secret to the replica, and each claim", async () => {
    const secrets = await secretsWith();
    for (let i = 0; i < 20; i++) {
      const before = Number(replica.command("DBSIZE"));
      const link = await secrets.create("hush", DAY);
      assert.equal(Number(replica.command("DBSIZE")), before + 2);
      assert.equal((await secrets.reveal(link)).state, "revealed");
      assert.match(replica.command("HGETALL", `one-time-secret:{${nameOf(link.id)}}:mark`), /\bused\b/);
    }
  });

  it("that does not answer fails what is asked, without losing or giving out anything", async () => {
    const secrets = await secretsWith();
    const link = await secrets.create("hush", DAY);
    const mine = { ...link, reader: "0123456789abcdef" };
    replica.silence();
    try {
      const failures = await Promise.all([failure(secrets.create("not safe", DAY)), failure(secrets.reveal(mine))]);
      assert.ok(failures[0] instanceof Unavailable && failures[1] instanceof Unanswered);
      assert.match(failures[0].message, /0 of 1 replicas/);
    } finally {
      replica.resume();
    }
    assert.deepEqual(await secrets.reveal(mine), { state: "revealed", secret: "hush" });
  });

  it("that does not answer confirms no repetition either, not even over a connection that wrote nothing before", async () => {
    const entry = { sealed: "s", proof: "p", locked: false, ttlMs: DAY, expires: Date.now() + DAY };
    const [first, second] = await Promise.all([1, 2].map(() => connected({ ...login, port: master.port })));
    assert.ok(first && second);
    open.push(first, second);
    for (const name of ["claimed", "destroyed"]) await first.create(name, entry);
    const promises = (store: RedisStore): Promise<unknown>[] => [
      store.create("created", entry),
      store.claim("claimed", { reader: "reader", at: 1 }),
      store.destroy("destroyed", 2),
    ];
    replica.silence();
    try {
      for (const store of [first, second]) {
        const failures = await Promise.all(promises(store).map(failure));
        assert.ok(failures.every((error) => error instanceof Unavailable));
      }
    } finally {
      replica.resume();
    }
    await Promise.all(promises(second));
  });

  it("that does not answer leaves probes and looks alone", async () => {
    const store = await connected({ ...login, port: master.port });
    open.push(store);
    replica.silence();
    try {
      const writes = Array.from({ length: 50 }, () => failure(store.destroy("nobody", 1)));
      await sleep(100);
      const looks = await timed(Promise.all([store.look("nobody"), store.fault(1000)]));
      assert.deepEqual(looks.result, [{ state: "unknown" }, undefined]);
      assert.ok(looks.ms < 300, `${looks.ms} ms`);
      const all = await timed(Promise.all(writes));
      assert.ok(all.ms < 4000, `${all.ms} ms`);
    } finally {
      replica.resume();
    }
  });

  it("that is gone is not waited for, unless the settings say so", async () => {
    await replica.stop();
    await eventually("the master knows", () => master.says(/connected_slaves:0/));
    const secrets = await secretsWith();
    assert.equal((await secrets.reveal(await secrets.create("hush", DAY))).state, "revealed");
    const strict = await secretsWith(1);
    assert.match(((await failure(strict.create("hush", DAY))) as Error).message, /0 of 1 replicas/);
    await replica.start();
    await replica.follow(master);
    await eventually("the master knows its replica", () => master.says(/state=online/));
    assert.ok((await strict.create("hush", DAY)).id);
  });

  it("is not asked for what only a master may say", async () => {
    const wrong = await connected({ ...login, port: replica.port });
    open.push(wrong);
    assert.ok((await failure(wrong.look("name"))) instanceof Unavailable);
  });

  it("loses nothing when the replica takes over", async () => {
    const secrets = await secretsWith();
    const links = await Promise.all(Array.from({ length: 50 }, () => secrets.create("hush", DAY)));
    const read = links.slice(0, 25);
    for (const link of read) assert.equal((await secrets.reveal(link)).state, "revealed");
    await master.stop();
    replica.command("REPLICAOF", "NO", "ONE");
    const store = await connected({ ...login, port: replica.port });
    open.push(store);
    const after = new Secrets(store, cipher);
    for (const link of links) assert.equal((await after.reveal(link)).state, read.includes(link) ? "used" : "revealed");
  });
});

const withoutTls = (): string | false => {
  const { error } = spawnSync("openssl", ["version"]);
  return error ? "cannot run openssl, which makes the certificate" : false;
};

describe("a Redis with TLS", { skip: skip || withoutTls() }, () => {
  const dir = mkdtempSync(join(tmpdir(), "one-time-secret-tls-"));
  const [key, certificate] = [join(dir, "tls.key"), join(dir, "tls.crt")];
  let redis: RedisServer;
  let port: number;

  before(async () => {
    const subject = ["-subj", "/CN=redis", "-addext", "subjectAltName=DNS:localhost"];
    const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate];
    execFileSync("openssl", [...made, ...subject], { stdio: "ignore" });
    port = await freePort();
    const files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate];
    redis = await RedisServer.start(path, ["--tls-port", String(port), "--tls-auth-clients", "no", ...files]);
  });
  after(async () => {
    await redis.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  it("is used by those who trust its authority", async () => {
    const ca = readFileSync(certificate, "utf8");
    const store = await connected({ ...login, host: "localhost", port, tls: true, ca });
    const secrets = new Secrets(store, cipher);
    assert.equal((await secrets.reveal(await secrets.create("hush", DAY))).state, "revealed");
    store.close();
  });

  it("is refused by those who do not", async () => {
    const store = new RedisStore({ ...login, host: "localhost", port, tls: true });
    await eventually("refusal", async () => /certificate of Redis/.test((await store.fault(1000)) ?? ""));
    store.close();
  });
});
