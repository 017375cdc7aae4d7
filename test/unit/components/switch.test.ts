import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Switched, switchSettings } from "../../../components/appWorkload/switch/settings";
import { FakeVersions } from "./fakeVersions";

const SCRIPT = path.resolve(__dirname, "../../../components/appWorkload/switch/switch.mjs");
const CANARY = {
  type: "canary",
  steps: [10, 50],
  seconds: 0.1,
  smoke: ["/"],
  errors: 1,
  latency: 1200,
  keep: "10m",
} as const;

describe("the switch", function () {
  this.timeout(120_000);
  let dir = "";
  let cluster: FakeVersions;
  beforeEach(async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "switch-"));
    cluster = new FakeVersions();
    await cluster.start(dir);
  });
  afterEach(() => {
    cluster.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  interface End {
    readonly code: number | null;
    /** What it left to be read. */
    readonly last: string;
    readonly log: string;
  }

  /** Runs it as its pod does, for an image. */
  async function run(image: string, change: Partial<Switched> = {}, task = "switch", job = "job-1"): Promise<End> {
    const last = path.join(dir, "last");
    fs.rmSync(last, { force: true });
    const settings = switchSettings(
      {
        app: "web",
        namespace: "dev-apps",
        selector: { name: "web" },
        template: { metadata: { labels: { name: "web" } }, spec: { containers: [{ image }] } },
        strategy: CANARY,
        port: cluster.port,
        replicas: 2,
        autoscaled: false,
        rule: {},
        prometheus: cluster.url,
        ...change,
      },
      { places: { api: cluster.url, account: dir, last }, patience: { ready: 0.5, drain: 0.02, look: 0.02 } },
    );
    const file = path.join(dir, "settings.json");
    fs.writeFileSync(file, JSON.stringify(settings));
    const env = { ...process.env, SWITCH_SETTINGS: file, JOB_UID: job };
    const child = spawn(process.execPath, [SCRIPT, task], { env, stdio: ["ignore", "pipe", "inherit"] });
    let log = "";
    child.stdout.on("data", (data: Buffer) => (log += data.toString()));
    const code = await new Promise<number | null>((done) => child.on("close", done));
    return { code, last: fs.existsSync(last) ? fs.readFileSync(last, "utf8") : "", log };
  }

  const shares = (log: string): string[] => [...log.matchAll(/(\w+ gets \d+ %)/g)].map(([, text = ""]) => text);
  const imageOf = (colour: string): unknown =>
    (cluster.of(colour).spec.template.spec as { containers: { image: string }[] }).containers[0]?.image;
  const rejected = (): { image?: string; reason?: string } =>
    JSON.parse(cluster.record.rejected ?? "{}") as { image?: string; reason?: string };

  it("brings a first version to all requests", async () => {
    const { code, log } = await run("one");
    assert.equal(code, 0, log);
    assert.equal(cluster.live, "blue");
    assert.deepEqual(cluster.weights, { "web-blue": 100, "web-green": 0 });
    assert.equal(cluster.of("blue").spec.replicas, 2);
    assert.equal(cluster.of("green").spec.replicas, 0);
    assert.equal(cluster.record.image, "one");
  });

  it("brings the next one up beside it, and moves requests step by step, clients in the cluster last", async () => {
    await run("one");
    cluster.changes.length = 0;
    const { code, log } = await run("two");
    assert.equal(code, 0, log);
    assert.deepEqual(shares(log), ["green gets 10 %", "green gets 50 %", "green gets 100 %"]);
    assert.equal(cluster.live, "green");
    assert.deepEqual([imageOf("blue"), imageOf("green")], ["one", "two"]);
    assert.equal(cluster.of("blue").spec.replicas, 2);
    const moved = cluster.changes.filter((key) => /^(services|httproutes|deployments)/.test(key));
    assert.deepEqual(moved, ["deployments/web-green", ...Array<string>(3).fill("httproutes/web"), "services/web"]);
    assert.deepEqual(cluster.objects["cronjobs/web-tidy"]?.spec, { suspend: false });
  });

  it("changes nothing the second time", async () => {
    await run("one");
    await run("two");
    cluster.changes.length = 0;
    const { code } = await run("two");
    assert.equal(code, 0);
    assert.deepEqual(
      cluster.changes.filter((key) => /^(services|httproutes|deployments)/.test(key)),
      [],
    );
  });

  it("counts what the autoscaler counted before", async () => {
    await run("one", { autoscaled: true });
    cluster.of("blue").spec.replicas = 5;
    await run("two", { autoscaled: true });
    assert.equal(cluster.of("green").spec.replicas, 5);
  });

  /** The first version serves, and the second one was given nothing, or nothing any more. */
  function heldBack({ code, last, log }: End, reason: RegExp): void {
    assert.equal(code, 1, log);
    assert.match(last, /^web: two is held back, the version before serves on: /);
    assert.match(last, reason);
    assert.equal(cluster.live, "blue");
    assert.deepEqual(cluster.weights, { "web-blue": 100, "web-green": 0 });
    assert.equal(cluster.of("green").spec.replicas, 0);
    assert.equal(cluster.of("blue").spec.replicas, 2);
    assert.equal(rejected().image, "two");
    assert.deepEqual(cluster.objects["jobs/web-switch"]?.spec, { backoffLimit: 0 });
  }

  it("holds back what does not become ready, before it gets a request", async () => {
    await run("one");
    cluster.isReady = () => false;
    const end = await run("two");
    heldBack(end, /not ready within 0.5 s/);
    assert.deepEqual(shares(end.log), []);
  });

  it("holds back what cannot start, with the reason of its pods", async () => {
    await run("one");
    cluster.isReady = () => false;
    const state = { waiting: { reason: "ImagePullBackOff", message: "not found" } };
    cluster.podStatus = () => ({ containerStatuses: [{ ready: false, restartCount: 0, state }] });
    heldBack(await run("two"), /ImagePullBackOff not found/);
  });

  it("holds back what answers 500, before it gets a request", async () => {
    await run("one");
    cluster.answer = () => 500;
    const end = await run("two", { strategy: { ...CANARY, seconds: 2 } });
    heldBack(end, /\d requests of the switch failed, at last .*: 500/);
    assert.deepEqual(shares(end.log), []);
  });

  it("takes the requests back from what fails at the edge", async () => {
    await run("one");
    cluster.counted = (questions) => ({ "200": questions * 50, "502": questions * 5 });
    const end = await run("two");
    heldBack(end, /5 of 55 requests at the edge failed with 5xx; 1 % may/);
    assert.deepEqual(shares(end.log), ["green gets 10 %"]);
  });

  it("holds back what nobody can judge", async () => {
    await run("one");
    cluster.isPrometheusUp = false;
    heldBack(await run("two"), /Prometheus cannot be asked about it: 503 starting/);
  });

  it("judges by its own requests where nobody counts", async () => {
    await run("one");
    cluster.isPrometheusUp = false;
    const { code } = await run("two", { prometheus: undefined });
    assert.equal(code, 0);
    assert.equal(cluster.live, "green");
  });

  it("says its verdict again when it is begun anew, and tries again for another Job", async () => {
    await run("one");
    cluster.answer = () => 500;
    await run("two", { strategy: { ...CANARY, seconds: 2 } });
    cluster.answer = () => 200;
    cluster.changes.length = 0;
    const again = await run("two");
    assert.equal(again.code, 1);
    assert.match(again.last, /^web: two is held back/);
    assert.deepEqual(cluster.changes, ["jobs/web-switch"]);
    assert.equal((await run("two", {}, "switch", "job-2")).code, 0);
    assert.equal(cluster.live, "green");
    assert.equal(cluster.record.rejected, undefined);
  });

  it("remembers what was rejected when the version that serves is deployed once more", async () => {
    await run("one");
    cluster.isReady = () => false;
    await run("two");
    assert.equal((await run("one", {}, "switch", "job-2")).code, 0);
    assert.equal(rejected().image, "two");
  });

  it("goes on where a switch died", async () => {
    await run("one");
    const backendRefs = [
      { name: "web-blue", port: 80, weight: 50 },
      { name: "web-green", port: 80, weight: 50 },
    ];
    cluster.objects["httproutes/web"] = { spec: { rules: [{ backendRefs }] } };
    const { code, log } = await run("two");
    assert.equal(code, 0, log);
    // Of what it finds half done it takes back the share first.
    assert.deepEqual(shares(log), ["green gets 10 %", "green gets 50 %", "green gets 100 %"]);
    assert.equal(cluster.live, "green");
  });

  describe("tidying", () => {
    const over = { conditions: [{ type: "Complete", status: "True" }] };
    const tidy = (): Promise<End> => run("two", {}, "tidy");
    beforeEach(async () => {
      await run("one");
      await run("two");
    });

    it("leaves everything alone while a switch is at work", async () => {
      cluster.changes.length = 0;
      assert.equal((await tidy()).code, 0);
      assert.deepEqual(cluster.changes, []);
    });

    it("keeps the old version for its time, then scales it away and sleeps", async () => {
      Object.assign(cluster.objects["jobs/web-switch"] ?? {}, { status: over });
      await tidy();
      assert.equal(cluster.of("blue").spec.replicas, 2);
      cluster.record.keepUntil = new Date(Date.now() - 1000).toISOString();
      await tidy();
      assert.equal(cluster.of("blue").spec.replicas, 0);
      assert.equal(cluster.of("green").spec.replicas, 2);
      assert.deepEqual(cluster.objects["cronjobs/web-tidy"]?.spec, { suspend: true });
    });

    it("gives the requests back that a switch left half way when it was taken away", async () => {
      delete cluster.objects["jobs/web-switch"];
      const backendRefs = [
        { name: "web-blue", port: 80, weight: 50 },
        { name: "web-green", port: 80, weight: 50 },
      ];
      cluster.objects["httproutes/web"] = { spec: { rules: [{ backendRefs }] } };
      await tidy();
      assert.deepEqual(cluster.weights, { "web-green": 100, "web-blue": 0 });
    });
  });
});
