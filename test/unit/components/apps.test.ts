import assert from "node:assert/strict";
import { type Apps, createApps } from "../../../components/apps";
import type { AppConfig } from "../../../components/lib/appConfig";
import { NO_ORDERS } from "../../../components/lib/releases/orders";
import { type Planned, planApp } from "../../../components/lib/releases/plan";
import { NO_HISTORY } from "../../../components/lib/releases/record";
import { type Fields, type Recording, record } from "./recorder";
import { Scene, field, names, one, sourceFolder } from "./scene";

const source = sourceFolder();

/** A program with these applications in an environment that has everything. */
function apps(config: Record<string, Partial<AppConfig>>): Promise<Recording> {
  const usual = { port: 3000, redis: false, expose: false, metrics: false, source: source() };
  const entries = Object.entries(config).map(([name, app]) => [name, { ...usual, ...app }] as const);
  return record((): Fields => {
    const scene = new Scene();
    const made: Apps = createApps(
      Object.fromEntries(entries),
      {
        environment: "dev",
        namespace: "dev-apps",
        replicas: 2,
        spread: "soft",
        addressOf: () => Promise.resolve("192.0.2.10"),
        podCidrs: scene.podCidrs,
        apiServers: scene.apiServers,
        imageOf: (name) => `images.example/${name}@sha256:1`,
        registry: scene.registry(),
        pushHost: "192.0.2.1:5443",
        redis: scene.redis(),
        postgres: scene.postgres("postgres", { databases: { rich: DATABASE } }),
        objectStore: scene.objectStore("object-store", { buckets: { rich: BUCKET } }),
        secrets: scene.secrets("keeps"),
        edge: scene.edge(),
        builder: { dockerHost: "unix:///nowhere", baseImages: {} },
        plan: Object.fromEntries(entries.map(([name, app]) => [name, planned(name, app)])),
        source: () => Promise.resolve(undefined),
      },
      scene.opts,
    );
    return { endpoints: made.endpoints, releases: made.releases, history: made.history, hosts: made.hosts };
  });
}

const planned = (app: string, config: AppConfig): Planned =>
  planApp({
    app,
    config,
    wanted: { version: "1.2.0" },
    before: NO_HISTORY,
    orders: NO_ORDERS,
    overrides: [],
    now: new Date(),
  });

const BUCKET = { name: "shop", access: "write" } as const;
const DATABASE = { database: "shop", connections: 5 };

describe("the applications of a stack file", () => {
  it("have as many replicas as the profile says, or as they say themselves, or as an autoscaler decides", async () => {
    const recording = await apps({
      usual: {},
      own: { replicas: 1 },
      scaled: { autoscale: { min: 1, max: 3, cpu: 50 } },
    });
    const replicas = ["usual", "own", "scaled"].map((name) =>
      field(one(recording, "Deployment", `${name}-server`), "spec.replicas"),
    );
    assert.deepEqual(replicas, [2, 1, undefined]);
    assert.deepEqual(names(recording, "HorizontalPodAutoscaler"), ["scaled-autoscaler"]);
  });

  it("take of the environment what they ask for, and nothing else", async () => {
    const recording = await apps({
      plain: {},
      rich: { redis: true, postgres: DATABASE, bucket: BUCKET, host: "shop", secrets: { KEY: "apps/rich#key" } },
    });
    const from = (name: string): unknown =>
      field(one(recording, "Deployment", `${name}-server`), "spec.template.spec.containers.0.envFrom");
    assert.deepEqual(from("plain"), []);
    const wanted = ["rich-redis", "rich-postgres", "rich-object-store", "rich-env"].map((name) => ({
      secretRef: { name },
    }));
    assert.deepEqual(from("rich"), wanted);
    const own = (prefix: string): string[] =>
      names(recording, "NetworkPolicy").filter((name) => name.startsWith(prefix));
    assert.deepEqual(own("plain-"), []);
    assert.equal(own("rich-").length, 8);
  });

  it("are told with where they answer, what they run, and the hosts of those that have one", async () => {
    const { outputs } = await apps({
      plain: {},
      shown: { host: "shop", expose: true },
      part: { host: "shop", path: "/api" },
    });
    const { endpoints, releases, hosts } = outputs as unknown as Record<string, Record<string, unknown>>;
    assert.deepEqual(endpoints, {
      plain: "http://plain.dev-apps.svc.cluster.local",
      shown: "http://192.0.2.10",
      part: "http://part.dev-apps.svc.cluster.local",
    });
    assert.deepEqual(Object.keys(releases ?? {}), ["part", "plain", "shown"]);
    const { version, healthySince, image, ...rest } = releases?.plain as Fields;
    assert.equal(version, "1.2.0");
    assert.ok(Math.abs(Date.now() - Date.parse(healthySince as string)) < 60_000);
    assert.equal(image, `registry.dev-registry.svc.cluster.local/plain:${rest.tag as string}@${rest.digest as string}`);
    assert.deepEqual(hosts, { shown: "https://shop.dev.example", part: "https://shop.dev.example/api" });
  });

  it("pull with one secret, and need a builder only where one is built", async () => {
    const built = await apps({ one: {}, two: {} });
    assert.deepEqual(
      ["one", "two"].map((name) =>
        field(one(built, "Deployment", `${name}-server`), "spec.template.spec.imagePullSecrets"),
      ),
      [[{ name: "regcred" }], [{ name: "regcred" }]],
    );
    const builders = (recording: Recording): number =>
      recording.resources.filter(({ type }) => type === "pulumi:providers:docker").length;
    assert.deepEqual([builders(built), builders(await apps({}))], [1, 0]);
  });
});
