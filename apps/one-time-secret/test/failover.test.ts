import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Cipher } from "../src/cipher";
import { RedisStore } from "../src/redis/store";
import { type Created, type Revealed, Secrets } from "../src/secrets";
import { Unavailable } from "../src/store";
import { PASSWORD, RedisServer, eventually, freePort, redisProgram } from "./redisServer";

const { path, skip } = redisProgram();
const cipher = new Cipher(["0123456789abcdef0123456789abcdef"]);
const login = { username: "app", password: PASSWORD, host: "127.0.0.1", tls: false };
const token = (): string => randomBytes(16).toString("base64url");

interface Seen {
  kept: Created[];
  read: Created[];
  refused: number;
  /** How long nothing at all was taken in or given out. */
  gap: number;
}

/** As a page asks: again, under the same name, until there is an answer. */
async function insist(secrets: Secrets, link: Created, seen: Seen): Promise<Revealed> {
  const reader = token();
  for (;;) {
    try {
      return await secrets.reveal({ ...link, reader });
    } catch (error) {
      assert.ok(error instanceof Unavailable, String(error));
      seen.refused++;
      await sleep(300);
    }
  }
}

/** Secrets are made and every other one is read by two at once, while something happens. */
async function during(secrets: Secrets, event: () => void | Promise<void>, ms: number): Promise<Seen> {
  const seen: Seen = { kept: [], read: [], refused: 0, gap: 0 };
  const end = Date.now() + ms;
  let last = Date.now();
  const worker = async (): Promise<void> => {
    while (Date.now() < end) {
      try {
        const [keep, read] = [await secrets.create("kept", 3_600_000), await secrets.create("read", 3_600_000)];
        seen.kept.push(keep);
        const both = await Promise.all([insist(secrets, read, seen), insist(secrets, read, seen)]);
        assert.deepEqual(both.map(({ state }) => state).sort(), ["revealed", "used"], "read by one of two");
        seen.read.push(read);
        seen.gap = Math.max(seen.gap, Date.now() - last);
        last = Date.now();
      } catch (error) {
        assert.ok(error instanceof Unavailable, String(error));
        seen.refused++;
      }
      await sleep(10);
    }
  };
  const happened = sleep(500).then(event);
  await Promise.all(Array.from({ length: 4 }, worker));
  await happened;
  return seen;
}

/** Nothing acknowledged is lost: what was not read still opens, and what was read stays read. */
async function verify(secrets: Secrets, { kept, read }: Seen): Promise<void> {
  assert.ok(kept.length > 50, `only ${kept.length} secrets were taken in`);
  const none: Seen = { kept: [], read: [], refused: 0, gap: 0 };
  for (const link of kept) assert.equal((await insist(secrets, link, none)).state, "revealed");
  for (const link of [...kept, ...read]) assert.equal((await secrets.reveal(link)).state, "used");
}

const connected = (store: RedisStore): Promise<void> =>
  eventually("Redis answers", async () => (await store.fault(1000)) === undefined);

describe("with sentinels", { skip }, () => {
  const dir = mkdtempSync(join(tmpdir(), "one-time-secret-sentinel-"));
  let master: RedisServer;
  let replica: RedisServer;
  let sentinel: ChildProcess;
  let store: RedisStore;

  before(async () => {
    [master, replica] = await Promise.all([RedisServer.start(path), RedisServer.start(path)]);
    await replica.follow(master);
    const port = await freePort();
    const settings = [
      `port ${port}`,
      "bind 127.0.0.1",
      `user app on >${PASSWORD} &* +@all`,
      "user default off",
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      "sentinel auth-user main admin",
      `sentinel auth-pass main ${PASSWORD}`,
      "sentinel down-after-milliseconds main 1000",
      "sentinel failover-timeout main 3000",
    ];
    writeFileSync(join(dir, "sentinel.conf"), `${settings.join("\n")}\n`);
    sentinel = spawn(path, [join(dir, "sentinel.conf"), "--sentinel"], { stdio: "ignore" });
    store = new RedisStore({ ...login, mode: "sentinel", port, sentinelName: "main" });
    await connected(store);
  });
  after(async () => {
    store.close();
    sentinel.kill("SIGKILL");
    await once(sentinel, "exit");
    await Promise.all([master.remove(), replica.remove()]);
    rmSync(dir, { recursive: true, force: true });
  });

  it("loses nothing and gives nothing out twice when the master is killed", async () => {
    const secrets = new Secrets(store, cipher);
    const seen = await during(secrets, () => master.stop(), 9000);
    await connected(store);
    await verify(secrets, seen);
    assert.ok(seen.gap < 7000, `nothing for ${seen.gap} ms`);
  });

  it("goes along when master and replica change their parts", async () => {
    const secrets = new Secrets(store, cipher);
    await master.start();
    await master.follow(replica);
    const seen = await during(
      secrets,
      () => {
        replica.command("REPLICAOF", "127.0.0.1", String(master.port));
        master.command("REPLICAOF", "NO", "ONE");
        setTimeout(() => {
          master.command("REPLICAOF", "127.0.0.1", String(replica.port));
          replica.command("REPLICAOF", "NO", "ONE");
        }, 300);
      },
      3000,
    );
    assert.ok(seen.gap < 3000, `nothing for ${seen.gap} ms`);
  });
});

describe("with a cluster", { skip }, () => {
  let nodes: RedisServer[] = [];
  let store: RedisStore;
  const node = (port: string | undefined): RedisServer => {
    const found = nodes.find((each) => String(each.port) === port);
    assert.ok(found, `a node on port ${port}`);
    return found;
  };

  before(async () => {
    const options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1500"];
    nodes = await Promise.all(Array.from({ length: 6 }, () => RedisServer.start(path, options)));
    const cli = [
      "--user",
      "admin",
      "--no-auth-warning",
      "--cluster",
      "create",
      ...nodes.map(({ port }) => `127.0.0.1:${port}`),
    ];
    execFileSync(join(dirname(path), "redis-cli"), [...cli, "--cluster-replicas", "1", "--cluster-yes"], {
      env: { ...process.env, REDISCLI_AUTH: PASSWORD },
      stdio: "ignore",
    });
    await eventually("all is up", () =>
      Promise.resolve(
        nodes.every((each) => {
          const replication = each.command("INFO", "replication");
          const sound = /master_link_status:up|state=online/.test(replication);
          return sound && /cluster_state:ok/.test(each.command("CLUSTER", "INFO"));
        }),
      ),
    );
    store = new RedisStore({ ...login, mode: "cluster", port: nodes[0]?.port ?? 0 });
    await connected(store);
  });
  after(async () => {
    store.close();
    await Promise.all(nodes.map((each) => each.remove()));
  });

  it("goes along with a planned change of masters", async () => {
    const secrets = new Secrets(store, cipher);
    const [, port] = /^\S+ 127\.0\.0\.1:(\d+)\S* slave/m.exec(nodes[0]?.command("CLUSTER", "NODES") ?? "") ?? [];
    const seen = await during(secrets, () => void node(port).command("CLUSTER", "FAILOVER"), 3000);
    await verify(secrets, seen);
    assert.equal(seen.refused, 0);
    assert.match(node(port).command("INFO", "replication"), /role:master/);
  });

  it("loses nothing and gives nothing out twice when a master is killed", async () => {
    const secrets = new Secrets(store, cipher);
    const table = nodes[0]?.command("CLUSTER", "NODES") ?? "";
    const [, port] = /^\S+ 127\.0\.0\.1:(\d+)\S* master/m.exec(table) ?? [];
    const seen = await during(secrets, () => node(port).stop(), 9000);
    await verify(secrets, seen);
    assert.ok(seen.gap < 7000, `nothing for ${seen.gap} ms`);
  });
});
