import assert from "node:assert/strict";
import { SHARED } from "../../components/monitoring/shared";
import { CASES, ruleTests } from "../unit/components/monitoring/ruleCases";
import { forward } from "./forward";
import { NAME, apply, broughtUp, canConnect, eventually, get, isReady, kubectl, testPod, tryKubectl } from "./world";

const STACK = "dev";
const MONITORING = `${STACK}-monitoring`;
const APPS = `${STACK}-apps`;
const PROMETHEUS = "prometheus-prometheus-0";
const ALERTMANAGER = "alertmanager-alertmanager-0";
const APPLICATIONS = ["notes", "notes-page", "one-time-secret", "plato", "visit-tracker"];
/** Those that say that they cannot serve without it. */
const WITH_REDIS = ["one-time-secret", "plato", "visit-tracker"];

interface Target {
  readonly health: string;
  readonly lastError: string;
  readonly labels: { readonly job: string; readonly instance: string };
}

interface Group {
  readonly name: string;
  readonly rules: readonly { readonly name: string; readonly health: string; readonly lastError?: string }[];
}

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

describe(`monitoring of an environment (sandbox ${NAME})`, function () {
  this.timeout(300_000);
  let prometheus = { url: "", stop: (): void => undefined };
  let alertmanager = { url: "", stop: (): void => undefined };

  before(async function () {
    this.timeout(900_000);
    await broughtUp();
    prometheus = await forward(MONITORING, PROMETHEUS, 9090);
    alertmanager = await forward(MONITORING, ALERTMANAGER, 9093);
  });
  after(() => {
    prometheus.stop();
    alertmanager.stop();
  });

  async function ask<T>(path: string): Promise<T> {
    const { status, body } = await get(`${prometheus.url}/api/v1/${path}`);
    assert.equal(status, 200, body);
    return (JSON.parse(body) as { data: T }).data;
  }

  /** The value of a query for one number, or undefined where it has none. */
  async function value(query: string): Promise<number | undefined> {
    const { result } = await ask<{ result: { value: [number, string] }[] }>(`query?query=${encodeURIComponent(query)}`);
    return result[0] && Number(result[0].value[1]);
  }

  async function alerts(name: string): Promise<Alert[]> {
    const { body } = await get(`${alertmanager.url}/api/v2/alerts?active=true`);
    return (JSON.parse(body) as Alert[]).filter(({ labels }) => labels.alertname === name);
  }

  it("[002.7] reaches every target that the components named", async () => {
    const expected = [
      ...["alertmanager", "app-status-page", "blackbox", "postgres", "prometheus", "redis", "registry", "vault"],
      ...[...APPLICATIONS, "status-page"].map((name) => `endpoint-${name}`),
      ...SHARED.map(({ name }) => name),
    ].sort();
    await eventually(async () => {
      const { activeTargets } = await ask<{ activeTargets: Target[] }>("targets?state=active");
      const down = activeTargets.filter(({ health }) => health !== "up");
      assert.deepEqual(
        down.map(({ labels, lastError }) => `${labels.job} ${labels.instance}: ${lastError}`),
        [],
      );
      assert.deepEqual([...new Set(activeTargets.map(({ labels }) => labels.job))].sort(), expected);
    }, 90_000);
    const nodes = (await kubectl(["get", "nodes", "-o", "name"])).trim().split("\n");
    assert.equal(await value('count(up{job="node-exporter"})'), nodes.length);
    assert.equal(await value("min(redis_up)"), 1);
    assert.equal(await value("min(probe_success)"), 1);
  });

  it("evaluates every rule, and none fails", async () => {
    // This environment has no object store, and no copies of its Postgres.
    const alerts = CASES.map(({ alert }) => alert).filter((each) => !/^ObjectStore|^PostgresCopy/.test(each));
    const wanted = [...new Set(alerts)].sort();
    await eventually(async () => {
      const { groups } = await ask<{ groups: Group[] }>("rules");
      const rules = groups.flatMap((group) => group.rules);
      assert.deepEqual([...new Set(rules.map(({ name }) => name))].sort(), wanted);
      assert.deepEqual(
        rules.filter(({ health }) => health !== "ok").map(({ name, lastError }) => `${name}: ${lastError}`),
        [],
      );
    }, 60_000);
    assert.equal(await value("sum(prometheus_rule_evaluation_failures_total)"), 0);
  });

  it("passes the tests of its rules, as they were deployed", async function () {
    const files = "/etc/prometheus/rules/prometheus-prometheus-rulefiles-0/*.yaml";
    const promtool = ["exec", "-i", "-n", MONITORING, PROMETHEUS, "-c", "prometheus", "--", "promtool"];
    if ((await tryKubectl([...promtool, "--version"])).code !== 0) {
      console.log(
        "      skipped: no promtool beside Prometheus in this image; the unit tier takes the one on the PATH",
      );
      return this.skip();
    }
    const { code, all } = await tryKubectl([...promtool, "test", "rules", "/dev/stdin"], { input: ruleTests([files]) });
    assert.equal(code, 0, all);
  });

  it("hears the dead man's switch in Alertmanager, with the way to its runbook, and nothing else", async () => {
    await eventually(async () => {
      const [watchdog] = await alerts("Watchdog");
      assert.match(watchdog?.annotations.runbook_url ?? "", /docs\/runbooks\/Watchdog\.md$/);
      assert.equal(watchdog?.labels.environment, STACK);
      const { body } = await get(`${alertmanager.url}/api/v2/alerts?active=true`);
      const others = (JSON.parse(body) as Alert[]).filter(({ labels }) => labels.alertname !== "Watchdog");
      assert.deepEqual(
        others.map(({ labels }) => labels),
        [],
      );
    }, 180_000);
  });

  it("sees pods of its own environment only, and may not read secrets", async () => {
    assert.ok(((await value(`count(kube_pod_status_ready{namespace="${APPS}"})`)) ?? 0) > 0);
    assert.equal(await value(`count({namespace!~"|${STACK}-.+"})`), undefined);
    const account = `system:serviceaccount:${MONITORING}:prometheus`;
    const may = async (verb: string, what: string, namespace: string): Promise<string> =>
      (await tryKubectl(["auth", "can-i", verb, what, "-n", namespace, `--as=${account}`])).out.trim();
    assert.equal(await may("list", "pods", APPS), "yes");
    assert.equal(await may("list", "secrets", APPS), "no");
    assert.equal(await may("list", "pods", "kube-system"), "no");
    assert.equal(await may("create", "pods", APPS), "no");
  });

  it("is reached by whom it was linked to only, and reaches only whom it watches", async () => {
    const labels = { "app.kubernetes.io/name": "prometheus", "app.kubernetes.io/component": "monitoring" };
    await apply(await testPod("stranger", APPS));
    await apply(await testPod("insider", MONITORING, { labels }));
    try {
      await isReady("stranger", APPS);
      await isReady("insider", MONITORING);
      const host = (service: string): string => `${service}.${MONITORING}.svc.cluster.local`;
      await eventually(
        async () => assert.ok(await canConnect(MONITORING, "insider", host("alertmanager-operated"), 9093)),
        20_000,
      );
      const redis = `redis.${STACK}-data.svc.cluster.local`;
      assert.equal(await canConnect(MONITORING, "insider", redis, 6379), false, "Prometheus reaches Redis");
      for (const [service, port] of [
        ["prometheus-operated", 9090],
        ["alertmanager-operated", 9093],
        ["blackbox", 9115],
      ] as const)
        assert.equal(await canConnect(APPS, "stranger", host(service), port), false, `a stranger reaches ${service}`);
    } finally {
      await kubectl(["delete", "pod", "stranger", "-n", APPS, "--force", "--grace-period=0"]);
      await kubectl(["delete", "pod", "insider", "-n", MONITORING, "--force", "--grace-period=0"]);
    }
  });

  it("[001.5] raises its alerts within two minutes of Redis scaled to nothing, and takes them back", async () => {
    const redis = ["statefulset", "redis", "-n", `${STACK}-data`];
    const before = Number(await kubectl(["get", ...redis, "-o", "jsonpath={.spec.replicas}"]));
    const raisedNow = async (): Promise<string[]> => {
      const endpoints = (await alerts("EndpointDown")).map(({ labels }) => labels.job ?? "");
      return [...(await alerts("RedisDown")).map(({ labels }) => labels.job ?? ""), ...endpoints.sort()];
    };
    const expected = ["redis", ...WITH_REDIS.map((name) => `endpoint-${name}`)];
    const seconds = (from: number): string => `${Math.round((Date.now() - from) / 1000)} s`;
    assert.deepEqual(await raisedNow(), []);

    const down = Date.now();
    await kubectl(["scale", ...redis, "--replicas=0"]);
    try {
      // The applications say that they cannot serve without it.
      await eventually(async () => assert.deepEqual(await raisedNow(), expected), 120_000);
      console.log(`      raised after ${seconds(down)}`);
    } finally {
      await kubectl(["scale", ...redis, `--replicas=${before}`]);
    }
    const back = Date.now();
    await eventually(async () => assert.deepEqual(await raisedNow(), []), 150_000);
    console.log(`      taken back after ${seconds(back)}`);
  });
});
