import assert from "node:assert/strict";
import { ROLE_LABEL } from "../../../components/postgres/patroni";
import type { Judgement } from "../../../policy/judge";
import { type PolicySettings, policySettings } from "../../../policy/settings";
import { findingsIn, judge } from "../../findings";
import { type Recording, type Fields, type Registered, record } from "./recorder";
import { Scene, field, sourceFolder } from "./scene";

const source = sourceFolder();

/** Each component by its name, so that two can be made side by side. */
const makers: Record<string, (scene: Scene, name: string) => unknown> = {
  RedisCluster: (scene, name) => scene.redis(name),
  Postgres: (scene, name) => {
    scene.postgres(name).clientSecret("web", `${name}-apps`);
    scene.postgres(`${name}-copied`, { mode: "replicated", replicas: 2 });
  },
  ObjectStore: (scene, name) => {
    const store = scene.objectStore(name, { environment: name });
    store.clientSecret("web", `${name}-apps`);
    store.certificateOf(`${name}-web`, `${name}-apps`, { parent: store });
    scene.objectStore(`${name}-parts`, { environment: name, mode: "distributed", servers: 4, spread: "hard" });
  },
  Registry: (scene, name) => scene.registry(name).pullSecret(`${name}-apps`, "apps"),
  AppWorkload: (scene, name) => {
    scene.app(`${name}-keeps`, { storage: "1Gi" });
    scene.app(name, {
      redis: scene.redis(`${name}-cache`),
      postgres: scene.postgres(`${name}-store`, { databases: { [name]: { database: name, connections: 5 } } }),
      store: scene.objectStore(`${name}-objects`, {
        environment: name,
        buckets: { [name]: { name: "files", access: "read" } },
      }),
      load: ["node", "load.js"],
      expose: true,
      replicas: undefined,
      autoscale: { min: 2, max: 4, cpu: 60 },
      edge: scene.edge(`${name}-edge`),
      host: name,
      vault: scene.secrets(`${name}-vault`, { environment: name }),
      secrets: { KEY: `apps/${name}#key` },
    });
  },
  Edge: (scene, name) => scene.edge(name, { replicas: 2, spread: "hard" }),
  AppImage: (scene, name) => scene.image(source(), name),
  SecretsPlatform: (scene, name) => {
    const secrets = scene.secrets(name, { environment: name, replicas: 3, spread: "hard" });
    const from = secrets.keep("web", { password: "p" });
    secrets.sync("web", { namespace: `${name}-apps`, secretName: "web", from });
  },
  Monitoring: (scene, name) => {
    scene.environment(name, { concerns: ["monitoring"] });
    const peer = { name: "web", namespace: `${name}-apps`, selector: { app: "web" } };
    const monitoring = scene.monitoring(name, { environment: name });
    monitoring.watch("web", { peer, port: 9000, tls: { authority: "authority of the tests", serverName: "web" } });
    monitoring.probe("web", { peer, port: 3000, url: "http://web/readyz" });
  },
  Grafana: (scene, name) => {
    scene.environment(name, { concerns: ["monitoring"] });
    const monitoring = scene.monitoring(`${name}-monitoring`, { environment: name });
    const peer = { name: "web", namespace: `${name}-apps`, selector: { app: "web" } };
    monitoring.probe("web", { peer, port: 3000, url: "http://web/readyz" });
    scene.grafana(name, { environment: name, monitoring });
  },
  Environment: (scene, name) => scene.environment(name),
  Access: (scene, name) => scene.access(name, { environment: name, namespace: `${name}-apps` }),
};

const isKubernetes = ({ type }: Registered): boolean => type.startsWith("kubernetes:");

/** Kind, namespace and name: what may be in a cluster only once. */
function identity(resource: Registered): string | undefined {
  const { namespace = "", name } = (resource.inputs.metadata ?? {}) as { namespace?: string; name?: string };
  return name && `${resource.type} ${namespace}/${name}`;
}

const repeated = (values: readonly string[]): string[] =>
  values.filter((value, index) => values.indexOf(value) < index);

/** The scene's digests are short, for readers. */
const wholeDigests = (inputs: Fields): Fields =>
  JSON.parse(
    JSON.stringify(inputs).replace(
      /@sha256:([0-9a-f]+)(?=")/g,
      (_, digits: string) => `@sha256:${digits.padStart(64, "0")}`,
    ),
  ) as Fields;

/** Here components have other names than in the program, and exemptions hold all the same. */
const nameless = (judgement: Judgement): Judgement => ({
  ...judgement,
  exemptions: judgement.exemptions.map(({ target, ...rest }) => ({ ...rest, target: { ...target, name: undefined } })),
});

function violations({ resources }: Recording, settings: PolicySettings): string[] {
  const { objects, stack } = settings;
  const whole = resources.map(({ opened, ...rest }) => ({ ...rest, opened: wholeDigests(opened) }));
  return findingsIn(judge({ objects: nameless(objects), stack: nameless(stack) }, whole));
}

for (const [component, make] of Object.entries(makers)) {
  describe(`any ${component}`, () => {
    let recording: Recording;
    before(async () => {
      recording = await record(() => {
        const scene = new Scene();
        make(scene, "one");
        make(scene, "two");
      });
    });

    /** What stands below a component of the kind under test. */
    const own = (): { child: Registered; owner: Registered }[] => {
      const byUrn = new Map(recording.resources.map((each) => [each.urn, each]));
      const ownerOf = (each: Registered): Registered | undefined => {
        const parent = byUrn.get(each.parent);
        return parent && parent.type !== `platform:index:${component}` ? ownerOf(parent) : parent;
      };
      return recording.resources.flatMap((child) => {
        const owner = ownerOf(child);
        return owner ? [{ child, owner }] : [];
      });
    };

    it("is the parent of all it makes", () => {
      assert.ok(own().length >= 2);
      const stack = recording.resources[0]?.urn;
      const orphans = recording.resources.filter(
        ({ parent, type }) =>
          parent === stack && !type.startsWith("platform:") && !type.startsWith("pulumi:providers:"),
      );
      assert.deepEqual(orphans, []);
    });

    it("starts the name of each child", () => {
      for (const { child, owner } of own()) assert.ok(child.name.startsWith(`${owner.name}-`), child.name);
    });

    it("takes the provider it is given, and no other", () => {
      for (const { child } of own().filter(({ child: each }) => isKubernetes(each)))
        assert.match(child.provider, /::cluster::/, child.name);
      for (const { child } of own().filter(({ child: each }) => each.type.startsWith("docker:")))
        assert.match(child.provider, /-builder::/, child.name);
    });

    it("can stand beside another of its kind", () => {
      assert.deepEqual(repeated(recording.resources.map(({ urn }) => urn)), []);
      assert.deepEqual(
        repeated(recording.resources.filter(({ read }) => !read).flatMap((each) => identity(each) ?? [])),
        [],
      );
    });

    it("selects its own pods only", () => {
      const pods = recording.resources.flatMap((each) => {
        const labels = field(each, "spec.template.metadata.labels") as Record<string, string> | undefined;
        return labels ? [{ owner: each.parent, namespace: field(each, "metadata.namespace"), labels }] : [];
      });
      // What watches is there to select others' pods.
      const selecting = recording.resources.filter(({ type }) => !type.endsWith(":PodMonitor"));
      const selections = selecting.flatMap((each) => {
        const labels =
          field(each, "spec.selector.matchLabels") ?? (each.type.endsWith(":Service") && field(each, "spec.selector"));
        // What a server is to others is written on its pod as it runs.
        return labels ? [{ each, labels: Object.entries(labels).filter(([key]) => key !== ROLE_LABEL) }] : [];
      });
      for (const { each, labels } of selections) {
        const selected = pods.filter(
          (pod) =>
            pod.namespace === field(each, "metadata.namespace") &&
            labels.every(([key, value]) => pod.labels[key] === value),
        );
        assert.deepEqual(
          selected.map(({ owner }) => owner),
          [each.parent],
          each.name,
        );
      }
    });

    it("breaks no rule of our own", async () => {
      const together = await record(() => {
        const scene = new Scene();
        scene.environment();
        make(scene, "one");
        scene.app("beside");
      });
      for (const stack of ["dev", "qa", "prod"])
        assert.deepEqual(violations(together, policySettings(stack)), [], stack);
    });
  });
}

describe("the policies", () => {
  it("find a workload that no environment closes off", async () => {
    const recording = await record(() => void new Scene().app("web", { expose: true }));
    assert.match(
      violations(recording, policySettings("dev")).join("\n"),
      /^\[network-policy\] Deployment dev-apps\/web/,
    );
  });
});
