import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import { decoded } from "../../../components/lib/config";
import { type Raw, app, edge, parse, profile, quota, sound } from "./rawConfig";

/** Of an application that asks for nothing. */
const plain = {
  path: undefined,
  postgres: undefined,
  bucket: undefined,
  metrics: false,
  passwordFiles: undefined,
  autoscale: undefined,
  resources: undefined,
  env: {},
  secrets: {},
  generate: [],
  host: undefined,
  replicas: undefined,
  strategy: undefined,
};
/** The keys of a file of the project, with what is said of them. */
const keysOf = (file: string): Raw =>
  (parseYaml(readFileSync(join(__dirname, "../../..", file), "utf8")) as { config: Raw }).config;

describe("configuration", () => {
  it("has a value for every key that is declared, in each stack: Pulumi refuses an update without", () => {
    const declared = Object.entries(keysOf("Pulumi.yaml")) as [string, { readonly default?: unknown }][];
    const needed = declared.filter(([, { default: usual }]) => usual === undefined).map(([key]) => key);
    assert.ok(needed.length > 3);
    for (const stack of ["dev", "qa", "prod"]) {
      const given = Object.keys(keysOf(`Pulumi.${stack}.yaml`));
      assert.deepEqual(
        needed.filter((key) => !given.includes(key)),
        [],
        stack,
      );
    }
  });

  it("reads a stack file", () => {
    assert.deepEqual(parse({ ...sound, clusterUid: "u-1", registry: { storage: "7Gi" }, redis: { memory: "64Mi" } }), {
      clusterUid: "u-1",
      podCidrs: undefined,
      build: true,
      clusterServices: "install",
      deployers: [],
      secrets: {
        replicas: 1,
        storage: "1Gi",
        refresh: "1m",
        seal: { type: "cluster", settings: {}, credentials: undefined },
      },
      registry: { storage: "7Gi" },
      promotion: {},
      redis: { mode: "standalone", masters: 1, replicas: 0, storage: "1Gi", memory: "64Mi" },
      postgres: undefined,
      objectStore: undefined,
      edge: { domain: "dev.example", replicas: 1 },
      monitoring: {
        enabled: true,
        retention: "2d",
        storage: "2Gi",
        webhook: undefined,
        runbooks: "docs/runbooks",
        grafana: undefined,
      },
      status: undefined,
      profile: { replicas: 1, spread: "soft", data: "keep", quota },
      access: { developers: ["platform:dev-developers"], exec: false },
      apps: { web: { ...plain, source: "apps/web", from: undefined, port: 3000, redis: true, expose: true } },
    });
  });

  it("fills in what may be left out", () => {
    const config = parse({ edge, profile, apps: { web: { from: "dev", port: 80 } } }, "qa");
    assert.equal(config.clusterUid, undefined);
    assert.equal(config.build, false);
    assert.equal(config.registry.storage, "5Gi");
    assert.deepEqual(config.promotion, {});
    assert.deepEqual(parse({ ...sound, promotion: { soak: "10m" } }).promotion, { soak: "10m" });
    const { redis } = config;
    assert.deepEqual(redis, { mode: "standalone", masters: 1, replicas: 0, storage: "1Gi", memory: "128Mi" });
    const web = { ...plain, source: undefined, from: "dev", port: 80, redis: false, expose: false };
    assert.deepEqual(config.apps.web, web);
    assert.deepEqual(parse({ edge, profile }).apps, {});
  });

  it("has a status page where it is asked for", () => {
    const status = { environments: ["dev", "qa"], source: "apps/status-page" };
    assert.deepEqual(parse({ ...sound, status }).status, { ...status, from: undefined, seconds: 15 });
    assert.equal(parse({ ...sound, status: { ...status, interval: "2m" } }).status?.seconds, 120);
    assert.equal(parse({ ...sound, status: {} }).status, undefined);
    const promoted = { build: false, apps: {}, status: { environments: ["dev"], from: "dev" } };
    const { source, from } = parse({ ...sound, ...promoted }).status ?? {};
    assert.deepEqual([source, from], [undefined, "dev"]);
  });

  it("gives each mode of Redis the size that it usually has", () => {
    const size = (redis: Raw): unknown => {
      const { mode, masters, replicas } = parse({ ...sound, redis }).redis;
      return [mode, masters, replicas];
    };
    assert.deepEqual(size({ mode: "sentinel" }), ["sentinel", 1, 2]);
    assert.deepEqual(size({ mode: "cluster" }), ["cluster", 3, 1]);
    assert.deepEqual(size({ mode: "cluster", masters: 5, replicas: 2 }), ["cluster", 5, 2]);
  });

  it("names the developers' groups, and lets them into pods where it says so", () => {
    assert.deepEqual(parse({ ...sound, access: { developers: ["oidc:web"], exec: true } }).access, {
      developers: ["oidc:web"],
      exec: true,
    });
    assert.deepEqual(parse(sound, "qa").access, { developers: ["platform:qa-developers"], exec: false });
  });

  it("names the environments that have a deployer", () => {
    assert.deepEqual(parse({ ...sound, deployers: ["qa", "prod"] }).deployers, ["qa", "prod"]);
    assert.deepEqual(parse({ ...sound, deployers: [], clusterServices: "use" }).deployers, []);
  });

  it("keeps an environment's data unless it says that they may go", () => {
    assert.equal(parse(sound).profile.data, "keep");
    assert.equal(parse({ ...sound, profile: { ...profile, data: "delete" } }).profile.data, "delete");
  });

  it("gives the edge as many replicas as the profile says, or its own", () => {
    const three = { ...sound, profile: { ...profile, replicas: 3 } };
    assert.equal(parse(three).edge.replicas, 3);
    assert.equal(parse({ ...three, edge: { ...edge, replicas: 2 } }).edge.replicas, 2);
  });

  it("reads where alerts go to, and leaves monitoring out where that is asked", () => {
    const webhook = { url: "https://alerts.example/hook", addresses: ["203.0.113.7/32"] };
    const runbooks = "https://git.example/docs/runbooks";
    const monitoring = { enabled: false, retention: "4w", storage: "9Gi", webhook, runbooks };
    assert.deepEqual(parse({ ...sound, monitoring }).monitoring, { ...monitoring, grafana: false });
  });

  it("wants dashboards, wants none, or leaves that open", () => {
    const read = (monitoring: Raw): unknown => parse({ ...sound, monitoring }).monitoring.grafana;
    assert.deepEqual(
      [true, false, undefined].map((grafana) => read({ grafana })),
      [true, false, undefined],
    );
  });

  it("takes no pin for an empty one", () => {
    assert.equal(parse({ ...sound, clusterUid: "" }).clusterUid, undefined);
  });

  it("lets the stack decide between building and taking over, whatever else the application names", () => {
    const both = { ...app, from: "dev" };
    assert.deepEqual(
      [true, false].map((build) => parse({ ...sound, build, apps: { web: both } }).apps.web),
      [
        { ...plain, source: "apps/web", from: undefined, port: 3000, redis: true, expose: true },
        { ...plain, source: undefined, from: "dev", port: 3000, redis: true, expose: true },
      ],
    );
  });

  it("takes CPU cores as a number too, as YAML reads them", () => {
    assert.equal(parse({ ...sound, profile: { ...profile, quota: { ...quota, cpu: 8 } } }).profile.quota.cpu, "8");
  });
});

describe("a configured text", () => {
  it("is JSON where it can be, and itself where not", () => {
    assert.deepEqual(['{"a":1}', "true", "", "5d1cbd64-6d37-4b67-9d34-7a4a51e8c0ea"].map(decoded), [
      { a: 1 },
      true,
      "",
      "5d1cbd64-6d37-4b67-9d34-7a4a51e8c0ea",
    ]);
    assert.equal(decoded(undefined), undefined);
  });
});
