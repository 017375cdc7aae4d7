import assert from "node:assert/strict";
import type { AppWorkloadArgs } from "../../../components/appWorkload";
import { parseApps } from "../../../components/lib/appConfig";
import { Reader } from "../../../components/lib/configReader";
import { Faults } from "../../../components/lib/faults";
import { USUAL_STRATEGY } from "../../../components/lib/strategyConfig";
import { type Fields, type Recording, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

const CANARY = { ...USUAL_STRATEGY, type: "canary" } as const;

/** The strategy of an entry, or the lines about what is wrong with it. */
function parse(strategy: unknown, others: Fields = {}, change: Fields = { host: "web" }): unknown {
  const faults = new Faults();
  const apps = { web: { source: "apps/web", port: 3000, strategy, ...change }, ...others };
  const parsed = parseApps("apps", apps, true, new Reader(faults), faults);
  try {
    faults.throwIfAny("faults", "");
  } catch (error) {
    const lines = (error as Error).message.split("\n");
    return lines.filter((line) => line.startsWith("  - ")).map((line) => line.slice("  - ".length));
  }
  return parsed.web?.strategy;
}

describe("the strategy of an application's entry", () => {
  it("is a name, or an object with what is not as usual", () => {
    assert.deepEqual(parse("canary"), CANARY);
    assert.deepEqual(parse("blue-green"), { ...USUAL_STRATEGY, type: "blue-green", steps: [] });
    const own = { steps: [5, 25], seconds: 60, smoke: ["/api/visits"], errors: 0, latency: 300, keep: "1h" };
    assert.deepEqual(parse({ type: "canary", ...own }), { type: "canary", ...own });
  });

  it("is a rollout in place where nothing is said", () => {
    assert.equal(parse(undefined), undefined);
    assert.equal(parse("rolling"), undefined);
  });

  const refusals: [string, unknown, string][] = [
    ["another name", "recreate", 'strategy: found "recreate", allowed is rolling or blue-green or canary'],
    ["an object without a type", {}, "strategy.type: found nothing, allowed is rolling or"],
    ["an unknown key", { type: "canary", step: 1 }, "strategy.step: found 1, allowed is one of type, steps"],
    [
      "steps of a blue-green",
      { type: "blue-green", steps: [5] },
      "strategy.steps: found [5], allowed is nothing, as all",
    ],
    [
      "settings of a rollout in place",
      { type: "rolling", keep: "1h" },
      'strategy.keep: found "1h", allowed is nothing',
    ],
    ["steps that fall", { type: "canary", steps: [50, 10] }, "strategy.steps: found [50,10], allowed is one to five"],
    ["a step to all", { type: "canary", steps: [100] }, "strategy.steps: found [100], allowed is one to five"],
    ["no step", { type: "canary", steps: [] }, "strategy.steps: found [], allowed is one to five"],
    ["too short a look", { type: "canary", seconds: 1 }, "strategy.seconds: found 1, allowed is a whole number from 5"],
    [
      "a path without its slash",
      { type: "canary", smoke: ["a"] },
      'strategy.smoke: found ["a"], allowed is one to ten',
    ],
    [
      "more than all",
      { type: "canary", errors: 101 },
      "strategy.errors: found 101, allowed is a whole number from 0 to 100",
    ],
    ["a time without a unit", { type: "canary", keep: "10" }, 'strategy.keep: found "10", allowed is a time such as'],
  ];
  for (const [what, value, line] of refusals)
    it(`is refused with ${what}`, () => {
      const lines = parse(value) as string[];
      assert.ok(Array.isArray(lines) && lines.length === 1 && lines[0]?.startsWith(`apps.web.${line}`), String(lines));
    });

  it("is refused as a canary without a host, which blue-green does not need", () => {
    const [line] = parse("canary", {}, {}) as string[];
    assert.match(
      line ?? "",
      /^apps\.web\.strategy: found "canary", allowed is rolling or blue-green, as there is no host/,
    );
    assert.equal((parse("blue-green", {}, {}) as Fields).type, "blue-green");
  });

  it("is refused beside an application that has the name of one of its objects", () => {
    const other = { "web-green": { source: "apps/other", port: 3000 } };
    assert.match(
      String(parse("canary", other)),
      /^apps\.web-green: found "web-green", allowed is another name, as web/,
    );
    assert.equal(parse("rolling", other), undefined);
  });
});

describe("AppWorkload with a strategy", () => {
  const made = (change: Partial<AppWorkloadArgs> = {}): Promise<Recording> =>
    record(() => {
      const scene = new Scene();
      const switcher = { image: "images.example/node@sha256:1", apiServers: scene.apiServers, prometheus: "http://p" };
      scene.app("web", { edge: scene.edge(), host: "shop", replicas: 2, strategy: CANARY, switcher, ...change });
    });
  let recording: Recording;
  before(async () => {
    recording = await made();
  });

  const deployments = (): string[] => names(recording, "Deployment").filter((name) => name.startsWith("web"));

  it("has two versions, of which Pulumi decides neither what they run nor how many", () => {
    assert.deepEqual(deployments(), ["web-blue", "web-green"]);
    for (const colour of ["blue", "green"]) {
      const each = one(recording, "Deployment", `web-${colour}`);
      assert.deepEqual(each.options.ignoreChanges, ["spec.replicas", "spec.template"]);
      assert.equal(field(each, "spec.replicas"), 0);
      assert.equal((field(each, "spec.selector.matchLabels") as Fields)["platform/colour"], colour);
      assert.equal((field(each, "spec.template.metadata.labels") as Fields)["platform/colour"], colour);
    }
  });

  it("has a Service for each, one for both, and a route whose shares are the switch's", () => {
    const services = names(recording, "Service").filter((name) => name.startsWith("web"));
    assert.deepEqual(services.sort(), ["web-blue-service", "web-green-service", "web-service"]);
    const known = one(recording, "Service", "web-service");
    assert.deepEqual(known.options.ignoreChanges, ["spec.selector"]);
    assert.ok(!("platform/colour" in (field(known, "spec.selector") as object)));
    const route = one(recording, "HTTPRoute", "web-route");
    assert.deepEqual(route.options.ignoreChanges, ["spec.rules"]);
    assert.deepEqual(field(route, "spec.rules.0.backendRefs"), [
      { name: "web-blue", port: 80, weight: 100 },
      { name: "web-green", port: 80, weight: 0 },
    ]);
  });

  it("keeps one of each version while nodes are drained", () => {
    for (const colour of ["blue", "green"]) {
      const budget = one(recording, "PodDisruptionBudget", `web-${colour}-budget`);
      assert.equal(field(budget, "metadata.name"), `web-${colour}`);
      assert.equal((field(budget, "spec.selector.matchLabels") as Fields)["platform/colour"], colour);
    }
  });

  it("has a Job that an update waits for, made anew with each release and not judged twice", () => {
    const job = one(recording, "Job", "web-switch");
    assert.equal(field(job, "spec.template.spec.restartPolicy"), "Never");
    assert.ok(Number(field(job, "spec.activeDeadlineSeconds")) > 90);
    const wanted = ["web-blue", "web-green", "web-service", "web-blue-service", "web-route", "web-switch-binding"];
    const depends = job.dependencies.map((urn) => urn.split("::").at(-1));
    for (const name of wanted) assert.ok(depends.includes(name), `${name} is not among ${depends.join(", ")}`);
  });

  it("tells the switch what a new version is, whatever colour it gets", () => {
    const files = one(recording, "ConfigMap", "web-switch-files").inputs.data as Record<string, string>;
    assert.deepEqual(Object.keys(files).sort(), ["cluster.mjs", "plan.mjs", "settings.json", "switch.mjs"]);
    const settings = JSON.parse(files["settings.json"] ?? "") as Fields;
    const template = settings.template as { metadata: { labels: Fields }; spec: { containers: Fields[] } };
    assert.ok(!("platform/colour" in template.metadata.labels));
    assert.equal(template.spec.containers[0]?.image, "registry.dev-registry.svc.cluster.local/web:1@sha256:3");
    assert.deepEqual([settings.host, settings.rule, settings.prometheus], ["shop.dev.example", {}, "http://p"]);
  });

  it("lets the switch change the application's own objects, by name, and read its namespace's pods", () => {
    const rules = field(one(recording, "Role", "web-switch-role"), "rules") as { [key: string]: string[] }[];
    const told = rules.map(({ resources, verbs, resourceNames }) => [resources?.[0], verbs, resourceNames]);
    const change = ["get", "patch"];
    assert.deepEqual(told, [
      ["deployments", change, ["web-blue", "web-green"]],
      ["services", change, ["web"]],
      ["httproutes", change, ["web"]],
      ["configmaps", change, ["web-release"]],
      ["jobs", change, ["web-switch"]],
      ["cronjobs", change, ["web-tidy"]],
      ["pods", ["list"], undefined],
    ]);
  });

  it("opens the switch's ways to the API server and to the application", () => {
    const own = names(recording, "NetworkPolicy").filter((name) => name.startsWith("web-switch"));
    assert.deepEqual(own.sort(), ["web-switch-to-api-server", "web-switch-to-web-egress", "web-switch-to-web-ingress"]);
  });

  it("has an autoscaler for each version, and leaves the count to them", async () => {
    const scaled = await made({ replicas: undefined, autoscale: { min: 2, max: 4, cpu: 60 } });
    for (const colour of ["blue", "green"]) {
      const scaler = one(scaled, "HorizontalPodAutoscaler", `web-${colour}-autoscaler`);
      assert.equal(field(scaler, "spec.scaleTargetRef.name"), `web-${colour}`);
      assert.ok(!("replicas" in (field(one(scaled, "Deployment", `web-${colour}`), "spec") as object)));
    }
  });

  it("switches by its Service alone where it has no host", async () => {
    const inside = await made({ host: undefined, strategy: { ...CANARY, type: "blue-green" } });
    assert.ok(!names(inside, "HTTPRoute").includes("web-route"));
    const rules = field(one(inside, "Role", "web-switch-role"), "rules") as { resources: string[] }[];
    assert.ok(!rules.some(({ resources }) => resources.includes("httproutes")));
  });

  it("is refused with a volume, and without a switcher", async () => {
    await assert.rejects(
      made({ storage: "1Gi", replicas: 1 }),
      /strategy: found "canary", allowed is rolling, as its volume takes one writer/,
    );
    await assert.rejects(made({ switcher: undefined }), /switcher: found nothing, allowed is what the strategy takes/);
  });
});
