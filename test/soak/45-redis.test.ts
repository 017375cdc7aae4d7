import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureImages } from "../../toolchain/images";
import { APPS, CLIENT, DATA, NAMES, PROGRAM, READER, WATCH, WRITER } from "./redisScene";
import { ROOT, broughtUp, eventually, kubectl, outputs, run, shell, tryKubectl } from "../live/world";

/** PLATFORM_TEST_REDIS_ROUNDS=20 repeats each fault so often, and gives the spread of the figures. */
const ROUNDS = Number(process.env.PLATFORM_TEST_REDIS_ROUNDS ?? 1);
const figures: string[] = [];

interface Writes {
  readonly acknowledged: number;
  readonly confirmed: readonly string[];
  /** The longest time without a write, in seconds. */
  readonly gap: number;
}

const inWriter = (
  script: string,
  args: readonly string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<string> =>
  kubectl(
    [
      "exec",
      ...(options.input === undefined ? [] : ["-i"]),
      "-n",
      APPS,
      "writer",
      "--",
      "sh",
      "-c",
      script,
      "sh",
      ...args,
    ],
    options,
  );

function readWrites(log: string): Writes {
  let last: number | undefined;
  let gap = 0;
  let acknowledged = 0;
  const confirmed: string[] = [];
  for (const line of log.split("\n")) {
    const [time = "", number = "", answer, replicas] = line.trim().split(/\s+/);
    if (answer !== "OK") continue;
    acknowledged++;
    if (last !== undefined) gap = Math.max(gap, Number(time) - last);
    last = Number(time);
    if (Number(replicas) >= 1) confirmed.push(number);
  }
  return { acknowledged, confirmed, gap };
}

let mark = 0;

/** Writes all the while, then looks every confirmed one up. */
async function whileWriting(name: string, work: () => Promise<unknown>, afterwardsMs: number): Promise<Writes> {
  const own = `m${++mark}`;
  const writing = inWriter(WRITER, [name, own], { timeoutMs: 600_000 });
  await sleep(3000);
  try {
    await work();
    await sleep(afterwardsMs);
  } finally {
    await inWriter("touch /tmp/stop-$1", [name]);
  }
  const writes = readWrites(await writing);
  const found = await inWriter(READER, [name, own], { input: `${writes.confirmed.join("\n")}\n` });
  const lost = found
    .trim()
    .split("\n")
    .filter((value, index) => value.trim() !== writes.confirmed[index]);
  assert.ok(writes.confirmed.length > 5, `only ${writes.confirmed.length} writes were confirmed`);
  assert.deepEqual(lost, [], `${lost.length} of ${writes.confirmed.length} confirmed writes are lost`);
  return writes;
}

async function mostOf(name: string, pods: number, work: () => Promise<unknown>): Promise<number> {
  const watching = inWriter(WATCH, [name, String(pods)], { timeoutMs: 300_000 });
  await sleep(1500);
  try {
    await work();
  } finally {
    await inWriter("touch /tmp/watched-$1", [name]);
  }
  return Math.max(...(await watching).trim().split("\n").map(Number));
}

const ask = (name: string, host: string, ...words: string[]): Promise<string> =>
  inWriter(`${CLIENT} as "$@"`, [name, host, "6379", ...words]);
const nodeOf = (name: string, pod: number): string => `${name}-${pod}.${name}-nodes.${DATA}.svc.cluster.local`;

async function masterOf(name: string, pods: number): Promise<number> {
  for (let pod = 0; pod < pods; pod++)
    if (/role:master/.test(await ask(name, nodeOf(name, pod), "INFO", "replication"))) return pod;
  throw new Error(`${name} has no master`);
}

const vanish = (...pods: string[]): Promise<string> =>
  kubectl(["delete", "pod", "-n", DATA, ...pods, "--force", "--grace-period=0"]);
const podNames = (name: string, count: number): string[] => Array.from({ length: count }, (_, pod) => `${name}-${pod}`);

describe("redis: its three modes, under faults", function () {
  this.timeout(900_000);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "platform-redis-"));
  let image = "";
  let authority = "";

  async function engine(masters: number, ...args: string[]): Promise<string> {
    const env = {
      ...(await shell()),
      PULUMI_BACKEND_URL: `file://${dir}`,
      PULUMI_SKIP_CHECKPOINTS: "true",
      AUTHORITY: authority,
      ROOT,
      MASTERS: String(masters),
      REDIS_IMAGE: image,
    };
    const { code, all, out } = await run("pulumi", [...args, "--non-interactive"], {
      cwd: dir,
      env,
      timeoutMs: 600_000,
    });
    assert.equal(code, 0, all);
    return out;
  }
  const up = (masters: number): Promise<string> => engine(masters, "up", "--yes", "--skip-preview", "--parallel", "64");

  before(async () => {
    // For the issuer of certificates.
    await broughtUp();
    authority = (await outputs("dev")).edge.certificateAuthority;
    image = (await ensureImages(["redis"])).redis?.reference ?? "";
    const loader = require.resolve("tsx/cjs");
    fs.writeFileSync(
      path.join(dir, "Pulumi.yaml"),
      `name: redis-live\nruntime: { name: nodejs, options: { typescript: false, nodeargs: "--require ${loader}" } }\nmain: index.js\n`,
    );
    fs.writeFileSync(path.join(dir, "package.json"), "{}");
    fs.writeFileSync(path.join(dir, "index.js"), PROGRAM);
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
    await engine(3, "stack", "init", "live");
    const began = Date.now();
    await up(3);
    figures.push(`up with all three modes: ${Math.round((Date.now() - began) / 1000)} s`);
    await kubectl(["wait", "--for=condition=Ready", "pod/writer", "-n", APPS, "--timeout=60s"]);
  });

  after(async () => {
    for (const figure of figures) console.log(`      ${figure}`);
    await engine(3, "destroy", "--yes", "--skip-preview");
    fs.rmSync(dir, { recursive: true, force: true });
    assert.match((await tryKubectl(["get", "namespace", DATA])).err, /NotFound/);
  });

  it("[003.1] [003.12] counts in each mode, over TLS, and tells nothing to who has no login", async () => {
    for (const name of NAMES) {
      const counted = await inWriter(`${CLIENT} for _ in 1 2 3; do as $1 "$(place $1)" 6379 -c INCR counter; done`, [
        name,
      ]);
      assert.deepEqual(counted.trim().split("\n").slice(-1), ["3"], name);
      const stranger = await kubectl([
        "exec",
        "-n",
        DATA,
        `${name}-0`,
        "-c",
        "redis",
        "--",
        "redis-cli",
        "--tls",
        "--cacert",
        "/etc/redis-tls/ca.crt",
        "PING",
      ]);
      assert.match(stranger, /NOAUTH/);
      const open = await tryKubectl([
        "exec",
        "-n",
        DATA,
        `${name}-0`,
        "-c",
        "redis",
        "--",
        "timeout",
        "5",
        "redis-cli",
        "PING",
      ]);
      assert.doesNotMatch(open.out, /PONG|NOAUTH/);
    }
  });

  it("[003.11] has 16384 slots, and each master's replica on another node", async () => {
    const nodes = await ask("sharded", nodeOf("sharded", 0), "CLUSTER", "NODES");
    const lines = nodes
      .trim()
      .split("\n")
      .map((line) => line.split(" "));
    const machines = new Map(
      (
        await kubectl([
          "get",
          "pods",
          "-n",
          DATA,
          "-o",
          'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName}{"\\n"}{end}',
        ])
      )
        .trim()
        .split("\n")
        .map((line) => line.split(" ") as [string, string]),
    );
    const machineOf = (line: readonly string[]): string =>
      machines.get(/,([^.,]+)\./.exec(line[1] ?? "")?.[1] ?? "") ?? "unknown";
    const masters = lines.filter((line) => line[2]?.includes("master"));
    assert.equal(masters.length, 3);
    assert.equal(new Set(masters.map(machineOf)).size, 3, "masters on nodes of their own");
    for (const replica of lines.filter((line) => line[2]?.includes("slave")))
      assert.notEqual(machineOf(replica), machineOf(masters.find(([id]) => id === replica[3]) ?? []), nodes);
    assert.match(await ask("sharded", nodeOf("sharded", 0), "CLUSTER", "INFO"), /cluster_slots_ok:16384/);
  });

  for (let round = 1; round <= ROUNDS; round++) {
    it(`[003.11] takes writes again within 15 s after a master is gone, with every confirmed one (round ${round})`, async () => {
      const killMaster = async (name: string, pods: number): Promise<void> => {
        const writes = await whileWriting(name, async () => vanish(`${name}-${await masterOf(name, pods)}`), 18_000);
        figures.push(
          `${name}: master gone, no write for ${writes.gap.toFixed(1)} s; ${writes.confirmed.length} confirmed of ${writes.acknowledged}, none lost`,
        );
        assert.ok(writes.gap <= 15, `${name}: no write for ${writes.gap} s`);
      };
      await Promise.all([killMaster("watched", 3), killMaster("sharded", 6)]);
    });

    it(`hands over before a pod stops, with every confirmed write (round ${round})`, async () => {
      const stop = async (name: string, pods: number): Promise<void> => {
        await kubectl(["rollout", "status", `statefulset/${name}`, "-n", DATA, "--timeout=120s"]);
        const stopMaster = async (): Promise<unknown> =>
          kubectl(["delete", "pod", "-n", DATA, `${name}-${await masterOf(name, pods)}`]);
        const writes = await whileWriting(name, stopMaster, 3000);
        figures.push(`${name}: master stopped, no write for ${writes.gap.toFixed(1)} s`);
        assert.ok(writes.gap <= 15, `${name}: no write for ${writes.gap} s`);
      };
      await Promise.all([stop("watched", 3), stop("sharded", 6)]);
    });

    it(`never has two masters for anything when all pods restart at once (round ${round})`, async () => {
      const restart = async (name: string, pods: number, most: number): Promise<void> => {
        await kubectl(["rollout", "status", `statefulset/${name}`, "-n", DATA, "--timeout=120s"]);
        const began = Date.now();
        const seen = await mostOf(name, pods, async () => {
          await vanish(...podNames(name, pods));
          await eventually(async () => {
            const answer = await inWriter(`${CLIENT} as $1 "$(place $1)" 6379 -c INCR counter | tail -n 1`, [name]);
            assert.match(answer, /^\d+\s*$/, `${name}: ${answer}`);
          }, 90_000);
        });
        figures.push(
          `${name}: all pods gone at once, writes again after ${((Date.now() - began) / 1000).toFixed(1)} s`,
        );
        assert.ok(seen <= most, `${name}: ${seen} at a time`);
      };
      await Promise.all([restart("watched", 3, 1), restart("sharded", 6, 16_384)]);
    });
  }

  it("[003.14] grows to four masters and shrinks again under writes, and loses no key", async () => {
    const resized = async (masters: number): Promise<void> => {
      const began = Date.now();
      await up(masters);
      figures.push(`sharded: resized to ${masters} masters in ${Math.round((Date.now() - began) / 1000)} s`);
      assert.match(
        await ask("sharded", nodeOf("sharded", 0), "CLUSTER", "INFO"),
        /cluster_slots_ok:16384[^]*cluster_size:/,
      );
      const size = /cluster_size:(\d+)/.exec(await ask("sharded", nodeOf("sharded", 0), "CLUSTER", "INFO"))?.[1];
      assert.equal(size, String(masters));
    };
    await kubectl(["rollout", "status", "statefulset/sharded", "-n", DATA, "--timeout=120s"]);
    const writes = await whileWriting(
      "sharded",
      async () => {
        await resized(4);
        await resized(3);
      },
      1000,
    );
    figures.push(
      `sharded: while resized, no write for ${writes.gap.toFixed(1)} s; ${writes.confirmed.length} confirmed, none lost`,
    );
    assert.ok(writes.gap <= 15);
  });
});
