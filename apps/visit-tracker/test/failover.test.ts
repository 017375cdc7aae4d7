import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { VisitCounter, type Answer } from "../src/visits/counter";
import { eventually, freePort, PASSWORD, redisProgram, RedisServer } from "./redisServer";

const program = redisProgram();
const path = "path" in program ? program.path : "";
const login = { username: "app", password: PASSWORD, host: "127.0.0.1", tls: false };
const ADMIN = ["--user", "admin", "on", `>${PASSWORD}`, "~*", "&*", "+@all"];
const COPIES = [...ADMIN, "--masteruser", "admin", "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0"];

/** Visits at a steady pace while something happens: every answer, and how long none was a count. */
async function during(
  counter: VisitCounter,
  event: () => void | Promise<void>,
  ms: number,
): Promise<{ answers: Answer[]; gap: number }> {
  const answers: Answer[] = [];
  const end = Date.now() + ms;
  let [last, gap] = [Date.now(), 0];
  const happened = sleep(300).then(event);
  while (Date.now() < end) {
    const answer = await counter.visit();
    answers.push(answer);
    if ("visits" in answer) {
      gap = Math.max(gap, Date.now() - last);
      last = Date.now();
    }
    await sleep(20);
  }
  await happened;
  return { answers, gap: Math.max(gap, Date.now() - last) };
}

const failed = (answers: readonly Answer[]): Answer[] => answers.filter((answer) => "fault" in answer);
const connected = (counter: VisitCounter): Promise<void> =>
  eventually("Redis answers", async () => (await counter.fault(1000)) === undefined, 15_000);

describe("with sentinels", { skip: "skip" in program && program.skip }, () => {
  const dir = mkdtempSync(join(tmpdir(), "visit-tracker-sentinel-"));
  const servers: RedisServer[] = [];
  let sentinel: ChildProcess;
  let counter: VisitCounter;

  before(async () => {
    const master = await RedisServer.start(path, COPIES);
    const replica = await RedisServer.start(path, [...COPIES, "--replicaof", "127.0.0.1", String(master.port)]);
    servers.push(master, replica);
    await eventually("the replica follows", () =>
      Promise.resolve(/link_status:up/.test(replica.command("INFO", "replication"))),
    );
    const port = await freePort();
    const settings = [
      `port ${port}`,
      "bind 127.0.0.1",
      `user app on >${PASSWORD} &* +@all`,
      `user admin on >${PASSWORD} &* +@all`,
      "user default off",
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      "sentinel auth-user main admin",
      `sentinel auth-pass main ${PASSWORD}`,
      "sentinel down-after-milliseconds main 1000",
      "sentinel failover-timeout main 3000",
    ];
    writeFileSync(join(dir, "sentinel.conf"), `${settings.join("\n")}\n`);
    sentinel = spawn(path, [join(dir, "sentinel.conf"), "--sentinel"], { stdio: "ignore" });
    counter = new VisitCounter({ ...login, mode: "sentinel", port, sentinelName: "main" });
    await connected(counter);
  });
  after(async () => {
    counter.close();
    sentinel.kill("SIGKILL");
    await once(sentinel, "exit");
    await Promise.all(servers.map((server) => server.remove()));
    rmSync(dir, { recursive: true, force: true });
  });

  it("goes to the new master when the old one is gone", async () => {
    const [master] = servers as [RedisServer];
    const { answers, gap } = await during(counter, () => master.stop(), 8000);
    assert.ok("visits" in (answers.at(-1) as Answer), JSON.stringify(answers.at(-1)));
    assert.ok(gap < 6000, `no count for ${gap} ms`);
  });

  it("follows a master that has become a replica, without a failed visit", async () => {
    const [old, master] = servers as [RedisServer, RedisServer];
    await old.start();
    old.command("REPLICAOF", "127.0.0.1", String(master.port));
    await eventually("the replica follows", () =>
      Promise.resolve(/link_status:up/.test(old.command("INFO", "replication"))),
    );
    // The sentinel does not know of this change; the client must notice by itself that it is at a replica.
    const { answers } = await during(
      counter,
      () => {
        master.command("REPLICAOF", "127.0.0.1", String(old.port));
        old.command("REPLICAOF", "NO", "ONE");
        setTimeout(() => {
          old.command("REPLICAOF", "127.0.0.1", String(master.port));
          master.command("REPLICAOF", "NO", "ONE");
        }, 300);
      },
      2500,
    );
    assert.deepEqual(failed(answers), []);
  });
});

describe("with a cluster", { skip: "skip" in program && program.skip }, () => {
  const NODE = [...COPIES, "--cluster-enabled", "yes", "--cluster-node-timeout", "1500"];
  let nodes: RedisServer[] = [];
  let counter: VisitCounter;

  before(async () => {
    nodes = await Promise.all(Array.from({ length: 4 }, () => RedisServer.start(path, NODE)));
    const [first, second, third, replica] = nodes as [RedisServer, RedisServer, RedisServer, RedisServer];
    first.command("CLUSTER", "ADDSLOTSRANGE", "0", "9999");
    second.command("CLUSTER", "ADDSLOTSRANGE", "10000", "13000");
    third.command("CLUSTER", "ADDSLOTSRANGE", "13001", "16383");
    nodes.slice(1).forEach((node, index) => {
      node.command("CLUSTER", "SET-CONFIG-EPOCH", String(index + 2));
      first.command("CLUSTER", "MEET", "127.0.0.1", String(node.port));
    });
    const owner = ownerOf(first.command("CLUSTER", "KEYSLOT", "visit-tracker:visits"));
    await eventually("all know each other", () =>
      Promise.resolve(replica.command("CLUSTER", "NODES").split("\n").length === 4),
    );
    replica.command("CLUSTER", "REPLICATE", owner.command("CLUSTER", "MYID"));
    await eventually(
      "all is up",
      () =>
        Promise.resolve(
          nodes.every((node) => /cluster_state:ok/.test(node.command("CLUSTER", "INFO"))) &&
            /link_status:up/.test(replica.command("INFO", "replication")),
        ),
      15_000,
    );
    nodes.push(nodes.splice(nodes.indexOf(owner), 1)[0] as RedisServer);
    counter = new VisitCounter({ ...login, mode: "cluster", port: (nodes[0] as RedisServer).port });
    await connected(counter);
  });
  after(async () => {
    counter.close();
    await Promise.all(nodes.map((node) => node.remove()));
  });

  /** The first three hold the slots; the last one made is the replica. */
  function ownerOf(slot: string): RedisServer {
    const index = Number(slot) < 10_000 ? 0 : Number(slot) <= 13_000 ? 1 : 2;
    return nodes[index] as RedisServer;
  }
  const replica = (): RedisServer => nodes[2] as RedisServer;

  it("keeps counting through a planned failover, without a failed visit", async () => {
    const { answers } = await during(counter, () => void replica().command("CLUSTER", "FAILOVER"), 3000);
    assert.deepEqual(failed(answers), []);
    assert.match(replica().command("INFO", "replication"), /role:master/);
  });

  it("goes to the replica when the master is gone", async () => {
    const owner = nodes[3] as RedisServer;
    await eventually("the former master follows", () =>
      Promise.resolve(/link_status:up/.test(owner.command("INFO", "replication"))),
    );
    const { answers, gap } = await during(counter, () => replica().stop(), 9000);
    assert.ok("visits" in (answers.at(-1) as Answer), JSON.stringify(answers.at(-1)));
    assert.ok(gap < 7000, `no count for ${gap} ms`);
  });
});
