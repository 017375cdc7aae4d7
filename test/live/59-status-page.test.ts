import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Report, statusReport } from "../../checks/status";
import type { Outputs } from "../../checks/stand";
import { ask } from "../../checks/web";
import { apply, broughtUp, canConnect, eventually, isReady, kubectl, outputs, testPod, tryKubectl } from "./world";

const STACK = "dev";
const APP = "visit-tracker";
const APPS = `${STACK}-apps`;
const PAGE = "status-page";
const PAGES = `${STACK}-status`;
/** For an answer, which belongs to the interval in which it was asked for; and for the cluster to take the pods out. */
const TIMEOUT_MS = 5000;
const SLACK_MS = 3000;

type Seen = Report["environments"][number]["endpoints"][number] & {
  readonly since: string;
  readonly uptime: Readonly<Record<string, number | null>>;
  readonly changes: readonly { readonly at: string; readonly up: boolean }[];
};

describe("status page: which endpoints answer, and did", function () {
  this.timeout(400_000);
  let edge: Outputs["edge"];

  before(async () => {
    await broughtUp();
    ({ edge } = await outputs(STACK));
    await eventually(async () => assert.equal((await seen(APP)).state, "up"), 60_000);
  });

  const seen = async (name: string, environment = STACK): Promise<Seen> => {
    const { environments } = await statusReport(edge);
    const found = environments.find((each) => each.name === environment)?.endpoints.find((each) => each.name === name);
    assert.ok(found, `${environment}/${name} is not watched`);
    return found as Seen;
  };
  const page = (path: string, method = "GET"): ReturnType<typeof ask> => {
    const { address, certificateAuthority: ca } = edge;
    return ask(`${edge.hosts[PAGE]}${path}`, { method, address, ca });
  };
  const scaled = async (replicas: string): Promise<void> => {
    await kubectl(["scale", `deployment/${APP}`, "-n", APPS, `--replicas=${replicas}`]);
  };

  it("[001.1] has a host of its own at the edge, for people and for programs", async () => {
    const { status, body, headers } = await page("/");
    assert.equal(status, 200);
    assert.match(headers["content-type"] ?? "", /^text\/html/);
    assert.match(String(headers["content-security-policy"]), /default-src 'none'/);
    for (const name of Object.keys(edge.hosts).filter((each) => each !== PAGE)) assert.ok(body.includes(name), name);
    assert.equal((await page("/", "POST")).status, 405);
    assert.equal((await page("/nothing")).status, 404);
  });

  it("[001.5] watches the applications of all environments, those that are not there yet among them", async () => {
    const { environments } = await statusReport(edge);
    assert.deepEqual(
      environments.map(({ name }) => name),
      ["dev", "qa", "prod"],
    );
    for (const { name, endpoints } of environments) assert.ok(endpoints.length >= 2, name);
  });

  it("[001.5] shows an application without pods as down within one interval, and as up again after", async () => {
    const { intervalSeconds } = await statusReport(edge);
    const replicas = (await kubectl(["get", "deployment", APP, "-n", APPS, "-o=jsonpath={.spec.replicas}"])).trim();
    const within = intervalSeconds * 1000 + TIMEOUT_MS + SLACK_MS;
    await scaled("0");
    try {
      await kubectl([
        "wait",
        "--for=delete",
        "pods",
        "-n",
        APPS,
        "-l",
        `app.kubernetes.io/name=${APP}`,
        "--timeout=90s",
      ]);
      const gone = Date.now();
      await eventually(async () => assert.equal((await seen(APP)).state, "down"), within);
      console.log(`      down after ${Math.round((Date.now() - gone) / 1000)} s`);
      assert.match((await seen(APP)).reason ?? "", /^answers 5\d\d$/);
      assert.equal((await seen("one-time-secret")).state, "up");
      assert.match((await page("/")).body, /<title>1 of \d+ endpoints down/);
    } finally {
      await scaled(replicas);
    }
    await kubectl(["rollout", "status", `deployment/${APP}`, "-n", APPS, "--timeout=150s"]);
    await eventually(async () => assert.equal((await seen(APP)).state, "up"), within);
  });

  it("keeps its history when its pod is deleted", async () => {
    const before = await seen(APP);
    assert.ok(before.changes.some(({ up }) => !up));
    await kubectl(["delete", "pods", "-n", PAGES, "-l", `app.kubernetes.io/name=${PAGE}`]);
    await kubectl(["rollout", "status", `deployment/${PAGE}`, "-n", PAGES, "--timeout=120s"]);
    const after = await eventually(() => seen(APP), 30_000);
    assert.deepEqual(after.changes, before.changes);
    assert.equal(after.since, before.since);
    assert.ok(Number(after.uptime["24h"]) < 100);
  });

  it("reaches the edge, and nothing else of the environment", async () => {
    // In the page's place: with its labels it has its paths, without its port none of its traffic.
    const pod = "status-double";
    const labels = { "app.kubernetes.io/name": PAGE, "app.kubernetes.io/component": "status" };
    await apply(await testPod(pod, PAGES, { labels }));
    try {
      await isReady(pod, PAGES);
      const at = (name: string, concern: string): string => `${name}.${STACK}-${concern}.svc.cluster.local`;
      await eventually(async () => assert.equal(await canConnect(PAGES, pod, at("edge", "edge"), 443), true), 20_000);
      const others: [string, number][] = [
        [at("edge", "edge"), 80],
        [at(APP, "apps"), 80],
        [at("redis", "data"), 6379],
        [at("vault", "secrets"), 8200],
        [at("registry", "registry"), 443],
      ];
      for (const [place, port] of others) assert.equal(await canConnect(PAGES, pod, place, port), false, place);
    } finally {
      await tryKubectl(["delete", "pod", pod, "-n", PAGES, "--wait=false"]);
    }
  });

  it("lets no other pod of its namespace through the edge", async () => {
    const pod = "status-stranger";
    await apply(await testPod(pod, PAGES));
    try {
      await isReady(pod, PAGES);
      // The policies of a new pod take a moment to be in force; they open nothing in it.
      await sleep(1000);
      assert.equal(await canConnect(PAGES, pod, `edge.${STACK}-edge.svc.cluster.local`, 443), false);
    } finally {
      await tryKubectl(["delete", "pod", pod, "-n", PAGES, "--wait=false"]);
    }
  });
});
