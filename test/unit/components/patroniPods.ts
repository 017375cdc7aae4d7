import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { labels } from "../../../components/lib/labels";
import { PRIMARY, RECORDS, ROLE_LABEL } from "../../../components/postgres/patroni";
import { rulesOf } from "../../../components/postgres/rights";
import { FakeKubernetes } from "./fakeKubernetes";
import { PostgresPod, type Said } from "./postgresPod";
import { until } from "./redisPods";

const LABELS = labels({ environment: "dev", component: "postgres", name: "postgres" });
const PORT = 5432;

export interface Writes {
  /** The longest time without a write, in seconds. */
  readonly gap: number;
  /** How many would have taken a write at a time. */
  readonly most: number;
}

/** The pods of one Postgres with copies, each on a loopback address of its own, around an API server that knows their Role. */
export class PatroniPods {
  readonly pods: readonly PostgresPod[];
  readonly labels = LABELS;
  private written = 1;

  private constructor(
    private readonly dir: string,
    readonly api: FakeKubernetes,
    count: number,
    net: number,
  ) {
    for (const record of RECORDS) api.put("configmaps", `postgres-${record}`, LABELS);
    const kubeconfig = api.kubeconfig();
    this.pods = Array.from({ length: count }, (_, ordinal) => {
      const host = `127.${net}.0.1${ordinal}`;
      return new PostgresPod(PORT, { ordinal, host, kubeconfig, labels: LABELS });
    });
    for (const pod of this.pods) pod.trust(this.pods);
  }

  static async make(count: number, net: number): Promise<PatroniPods> {
    const dir = mkdtempSync(join(tmpdir(), "patroni-pods-"));
    const api = await FakeKubernetes.start(dir, rulesOf("postgres", count));
    // The pods' user reads its kubeconfig there.
    chmodSync(dir, 0o755);
    return new PatroniPods(dir, api, count, net);
  }

  /** A pod comes new: nobody knows its part. */
  start(ordinal: number): void {
    this.api.put("pods", `postgres-${ordinal}`, LABELS);
    for (const name of ["patroni", "keeper"] as const) this.pods[ordinal]?.start(name);
  }

  pod = (ordinal: number): PostgresPod => this.pods[ordinal] as PostgresPod;

  /** What a server answers to the superuser of its pod. */
  ask = async (ordinal: number, statement: string): Promise<string> =>
    (await this.pod(ordinal).inside("postgres", statement)).out;

  /** Those that would take a write now. */
  async primaries(): Promise<number[]> {
    const all = await Promise.all(this.pods.map((_, ordinal) => this.ask(ordinal, "SELECT pg_is_in_recovery()")));
    return [...all.entries()].flatMap(([ordinal, said]) => (said === "f" ? [ordinal] : []));
  }

  /** Where the Service leads clients. */
  labelled = (): number[] =>
    [...this.pods.keys()].filter(
      (ordinal) => this.api.things.pods.get(`postgres-${ordinal}`)?.metadata.labels[ROLE_LABEL] === PRIMARY,
    );

  /** Who has every write that is confirmed, as it is written down. */
  private successorOf(primary: string): string | undefined {
    if (this.api.annotation("postgres-sync", "leader") !== primary) return undefined;
    return this.api.annotation("postgres-sync", "sync_standby") || undefined;
  }

  /** The one that takes the writes, once so many copies follow it, and one of them may succeed it. */
  async settled(copies: number, withinMs = 60_000): Promise<number> {
    const asked =
      "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name ~ '^postgres-'";
    const { primary } = await until(
      `one server with ${copies} copies`,
      async () => {
        const [found, ...more] = await this.primaries();
        if (found === undefined || more.length > 0 || this.labelled().join() !== String(found)) return undefined;
        const isSafe = copies === 0 || this.successorOf(`postgres-${found}`) !== undefined;
        return isSafe && Number(await this.ask(found, asked)) === copies && { primary: found };
      },
      withinMs,
    );
    return primary;
  }

  /** By the way that the Service leads, to whoever takes the writes. */
  async asApp(statement: string): Promise<Said> {
    const [ordinal = 0] = this.labelled();
    return this.pod(ordinal).client("web", "password-of-web", "web", statement);
  }

  /** Writes all the while, then looks every confirmed one up. */
  async whileWriting(work: () => Promise<unknown>): Promise<Writes> {
    const confirmed: number[] = [];
    let [gap, most, over] = [0, 0, false];
    let last = Date.now();
    const writing = (async () => {
      for (; !over; this.written++) {
        const { code } = await this.asApp(`INSERT INTO things VALUES (${this.written})`);
        if (code !== 0) continue;
        confirmed.push(this.written);
        gap = Math.max(gap, Date.now() - last);
        last = Date.now();
      }
    })();
    const watching = (async () => {
      for (; !over; await sleep(200)) most = Math.max(most, (await this.primaries()).length);
    })();
    await sleep(1000);
    try {
      await work();
      await this.settled(this.pods.length - 1);
      await sleep(1000);
    } finally {
      over = true;
      await Promise.all([writing, watching]);
    }
    gap = Math.max(gap, Date.now() - last);
    const { out } = await this.asApp("SELECT id FROM things");
    const found = new Set(out.split("\n").map(Number));
    assert.ok(confirmed.length > 10, `only ${confirmed.length} writes were confirmed`);
    assert.deepEqual(
      confirmed.filter((id) => !found.has(id)),
      [],
      "confirmed and lost",
    );
    return { gap: gap / 1000, most };
  }

  /** What each said last. */
  stories = (): string[] =>
    this.pods.flatMap((pod, ordinal) =>
      ["patroni", "keeper"].map((name) => `--- ${name} ${ordinal}\n${pod.log(name).slice(-6000)}`),
    );

  async end(): Promise<void> {
    await Promise.all(this.pods.map((pod) => pod.end()));
    await this.api.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
