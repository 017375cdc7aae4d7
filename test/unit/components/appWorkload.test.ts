import assert from "node:assert/strict";
import type { AppWorkloadArgs } from "../../../components/appWorkload";
import { type Fields, type Recording, SECRET, answer, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

const SPREAD = "spec.template.spec.topologySpreadConstraints.0";
const CONTAINER = "spec.template.spec.containers.0";

/** A program with one application, and its endpoint as output. */
function app(change: Partial<AppWorkloadArgs> = {}, newResource = answer): Promise<Recording> {
  return record(() => ({ endpoint: new Scene().app("web", change).endpoint }), { newResource });
}

describe("AppWorkload", () => {
  describe("with a Redis", () => {
    let recording: Recording;
    before(async () => {
      recording = await record(() => {
        const scene = new Scene();
        scene.app("web", { redis: scene.redis() });
      });
    });

    it("opens the way there and in, for its own pods and the one port", () => {
      const peer = (namespace: string, name: string, component: string): unknown => ({
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        podSelector: { matchLabels: { "app.kubernetes.io/name": name, "app.kubernetes.io/component": component } },
      });
      const ports = [{ protocol: "TCP", port: 6379 }];
      const egress = one(recording, "NetworkPolicy", "web-to-redis-egress");
      assert.equal(field(egress, "metadata.namespace"), "dev-apps");
      assert.deepEqual(field(egress, "spec.egress"), [{ to: [peer("dev-data", "redis", "redis")], ports }]);
      const ingress = one(recording, "NetworkPolicy", "web-to-redis-ingress");
      assert.equal(field(ingress, "metadata.namespace"), "dev-data");
      assert.deepEqual(field(ingress, "spec.ingress"), [{ from: [peer("dev-apps", "web", "app")], ports }]);
      assert.equal(names(recording, "NetworkPolicy").filter((name) => name.startsWith("web-")).length, 2);
    });

    it("starts after it", () => {
      const { dependencies } = one(recording, "Deployment");
      assert.ok(dependencies.includes(one(recording, "StatefulSet", "redis-server").urn));
    });
  });

  describe("with a Postgres", () => {
    let recording: Recording;
    before(async () => {
      recording = await record(() => {
        const scene = new Scene();
        scene.app("web", { postgres: scene.postgres() });
      });
    });

    it("opens the way there and in, and takes its login from a Secret", () => {
      const own = names(recording, "NetworkPolicy").filter((name) => name.startsWith("web-"));
      assert.deepEqual(own, ["web-to-postgres-egress", "web-to-postgres-ingress"]);
      const server = one(recording, "Deployment");
      assert.deepEqual(field(server, `${CONTAINER}.envFrom`), [{ secretRef: { name: "web-postgres" } }]);
      assert.ok(server.dependencies.includes(one(recording, "StatefulSet", "postgres-server").urn));
    });

    it("has the certificate that it trusts as a file, where its environment says", () => {
      const server = one(recording, "Deployment");
      const trusted = { name: "trusted", mountPath: "/etc/postgres", readOnly: true };
      assert.deepEqual(field(server, `${CONTAINER}.volumeMounts.1`), trusted);
      const volume = { name: "trusted", configMap: { name: "web-trusted-auto" } };
      assert.deepEqual(field(server, "spec.template.spec.volumes.1"), volume);
      assert.deepEqual(one(recording, "ConfigMap", "web-trusted").inputs.data, {
        "ca.crt": "certificate of the authority",
      });
    });
  });

  it("without one has neither a path nor credentials", async () => {
    const recording = await app();
    assert.deepEqual([...names(recording, "NetworkPolicy"), ...names(recording, "Secret")], []);
    assert.deepEqual(field(one(recording, "Deployment"), `${CONTAINER}.envFrom`), []);
  });

  it("closed, answers inside the cluster only", async () => {
    const recording = await app();
    assert.equal(recording.outputs.endpoint, "http://web.dev-apps.svc.cluster.local");
    assert.equal(field(one(recording, "Service"), "spec.type"), undefined);
  });

  it("exposed, answers at the load balancer's address and lets in who is no pod", async () => {
    const recording = await app({ expose: true, port: 8080 });
    assert.equal(recording.outputs.endpoint, "http://192.0.2.10");
    assert.equal(field(one(recording, "Service"), "spec.type"), "LoadBalancer");
    const ingress = field(one(recording, "NetworkPolicy", "web-from-outside"), "spec.ingress");
    assert.deepEqual(ingress, [
      {
        from: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.1.0.0/24", "10.1.1.0/24"] } }],
        ports: [{ protocol: "TCP", port: 8080 }],
      },
    ]);
  });

  it("exposed, asks for the address once it is ready, without a resource that is only read", async () => {
    const asked: unknown[] = [];
    let ready = false;
    const newResource: typeof answer = (args) => {
      if (args.type.endsWith(":Deployment")) ready = true;
      return answer(args);
    };
    const addressOf = (...question: unknown[]): Promise<string> => {
      asked.push([ready, ...question]);
      return Promise.resolve("lb.example");
    };
    const recording = await app({ expose: true, addressOf }, newResource);
    assert.equal(recording.outputs.endpoint, "http://lb.example");
    assert.deepEqual(asked, [[true, "dev-apps", "web", 10_000]]);
    assert.deepEqual(
      recording.resources.filter(({ read }) => read),
      [],
    );
  });

  it("exposed, says when there is no address, for which a preview does not wait", async () => {
    const patience: number[] = [];
    const addressOf = (_: string, __: string, ms: number): Promise<undefined> => {
      patience.push(ms);
      return Promise.resolve(undefined);
    };
    const program = (): Fields => ({ endpoint: new Scene().app("web", { expose: true, addressOf }).endpoint });
    const { outputs } = await record(program, { preview: true });
    assert.match(outputs.endpoint as string, /^no address yet: .*pulumi up/);
    assert.deepEqual(patience, [0]);
  });

  it("alone has no disruption budget, which would only block a node's drain; of several, one may be missing", async () => {
    assert.deepEqual(names(await app(), "PodDisruptionBudget"), []);
    const budget = one(await app({ replicas: 3 }), "PodDisruptionBudget");
    assert.equal(field(budget, "spec.maxUnavailable"), 1);
  });

  it("spreads over nodes as hard as told, counted per revision so that a rollout finds room", async () => {
    const hard = one(await app({ replicas: 3, spread: "hard" }), "Deployment");
    assert.equal(field(hard, `${SPREAD}.whenUnsatisfiable`), "DoNotSchedule");
    assert.deepEqual(field(hard, `${SPREAD}.matchLabelKeys`), ["pod-template-hash"]);
    assert.equal(field(one(await app(), "Deployment"), `${SPREAD}.whenUnsatisfiable`), "ScheduleAnyway");
  });

  it("never serves with fewer pods than asked for during a rollout", async () => {
    const { rollingUpdate } = field(one(await app(), "Deployment"), "spec.strategy") as { rollingUpdate: unknown };
    assert.deepEqual(rollingUpdate, { maxUnavailable: 0, maxSurge: 1 });
  });

  describe("with a volume of its own", () => {
    let recording: Recording;
    before(async () => {
      recording = await app({ storage: "3Gi" });
    });

    it("has it at /data, and may write nowhere else but to /tmp", () => {
      const claim = one(recording, "PersistentVolumeClaim");
      assert.equal(field(claim, "spec.resources.requests.storage"), "3Gi");
      assert.deepEqual(field(claim, "spec.accessModes"), ["ReadWriteOnce"]);
      const server = one(recording, "Deployment");
      assert.deepEqual(field(server, `${CONTAINER}.volumeMounts`), [
        { name: "tmp", mountPath: "/tmp" },
        { name: "data", mountPath: "/data", readOnly: false },
      ]);
      const volume = { name: "data", persistentVolumeClaim: { claimName: "web" } };
      assert.deepEqual(field(server, "spec.template.spec.volumes.1"), volume);
    });

    it("has none without asking for it", async () => {
      assert.deepEqual(names(await app(), "PersistentVolumeClaim"), []);
    });

    it("lets go of it before the next pod takes it", () => {
      assert.deepEqual(field(one(recording, "Deployment"), "spec.strategy"), { type: "Recreate" });
    });

    it("is refused more replicas than one", async () => {
      await assert.rejects(
        app({ storage: "3Gi", replicas: 2 }),
        /replicas: found 2, allowed is 1, as its volume takes/,
      );
      const autoscale = { min: 1, max: 2, cpu: 60 };
      await assert.rejects(
        app({ storage: "3Gi", replicas: undefined, autoscale }),
        /replicas: found nothing, allowed is 1/,
      );
    });
  });

  it("opens its own half of the way to what is another environment's", async () => {
    const peer = { name: "qa-edge", namespace: "qa-edge", selector: { app: "edge" } };
    const recording = await app({ reaches: [{ peer, port: 8443 }] });
    assert.deepEqual(names(recording, "NetworkPolicy"), ["web-to-qa-edge-egress"]);
    assert.equal(field(one(recording, "NetworkPolicy"), "metadata.namespace"), "dev-apps");
    assert.deepEqual(field(one(recording, "NetworkPolicy"), "spec.policyTypes"), ["Egress"]);
  });

  it("pulls with the secret it is given", async () => {
    const path = "spec.template.spec.imagePullSecrets";
    assert.deepEqual(field(one(await app({ pullSecret: "regcred" }), "Deployment"), path), [{ name: "regcred" }]);
    assert.deepEqual(field(one(await app(), "Deployment"), path), []);
  });

  describe("with a host", () => {
    const hosted = (change: Partial<AppWorkloadArgs> = {}): Promise<Recording> =>
      record(() => {
        const scene = new Scene();
        scene.app("web", { edge: scene.edge(), host: "shop", ...change });
      });

    it("has a route to its Service at the edge, for https only", async () => {
      const route = one(await hosted(), "HTTPRoute", "web-route");
      assert.equal(field(route, "metadata.namespace"), "dev-apps");
      assert.deepEqual(field(route, "spec"), {
        parentRefs: [{ name: "edge", namespace: "dev-edge", sectionName: "https" }],
        hostnames: ["shop.dev.example"],
        rules: [{ backendRefs: [{ name: "web", port: 80 }] }],
      });
    });

    it("with a path has that part of the host, and sees it whole", async () => {
      const route = one(await hosted({ path: "/api" }), "HTTPRoute", "web-route");
      assert.deepEqual(field(route, "spec.rules"), [
        { matches: [{ path: { type: "PathPrefix", value: "/api" } }], backendRefs: [{ name: "web", port: 80 }] },
      ]);
    });

    it("lets the edge in, on both sides, and nobody else", async () => {
      const recording = await hosted({ port: 8080 });
      const policies = names(recording, "NetworkPolicy").filter((name) => name.startsWith("web-"));
      assert.deepEqual(policies.sort(), ["web-edge-to-web-egress", "web-edge-to-web-ingress"]);
      const [egress, ingress] = policies.map((name) => one(recording, "NetworkPolicy", name));
      assert.ok(egress && ingress);
      assert.deepEqual(
        [field(egress, "metadata.namespace"), field(ingress, "metadata.namespace")],
        ["dev-edge", "dev-apps"],
      );
      const peer = field(ingress, "spec.ingress.0.from.0.namespaceSelector.matchLabels") as Record<string, string>;
      assert.equal(peer["kubernetes.io/metadata.name"], "dev-edge");
      assert.deepEqual(field(ingress, "spec.ingress.0.ports"), [{ protocol: "TCP", port: 8080 }]);
    });

    it("and without one has neither", async () => {
      const recording = await hosted({ host: undefined });
      assert.ok(!names(recording, "HTTPRoute").includes("web-route"));
      assert.deepEqual(
        names(recording, "NetworkPolicy").filter((name) => name.startsWith("web-")),
        [],
      );
    });
  });

  describe("with an autoscaler", () => {
    const scaled = { replicas: undefined, autoscale: { min: 1, max: 4, cpu: 60 } };

    it("leaves the number of replicas to it", async () => {
      const recording = await app(scaled);
      const server = one(recording, "Deployment");
      assert.ok(!("replicas" in (field(server, "spec") as object)));
      assert.deepEqual(server.options.ignoreChanges, ["spec.replicas"]);
      assert.equal(one(await app(), "Deployment").options.ignoreChanges, undefined);
      const scaler = one(recording, "HorizontalPodAutoscaler");
      const target = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
      assert.deepEqual(field(scaler, "spec.scaleTargetRef"), target);
      assert.deepEqual([field(scaler, "spec.minReplicas"), field(scaler, "spec.maxReplicas")], [1, 4]);
      const aim = { type: "Utilization", averageUtilization: 60 };
      assert.deepEqual(field(scaler, "spec.metrics"), [{ type: "Resource", resource: { name: "cpu", target: aim } }]);
    });

    it("has a disruption budget when there may be several", async () => {
      assert.equal(names(await app(scaled), "PodDisruptionBudget").length, 1);
      const single = { ...scaled, autoscale: { min: 1, max: 1, cpu: 60 } };
      assert.deepEqual(names(await app(single), "PodDisruptionBudget"), []);
    });
  });

  describe("with secrets", () => {
    let recording: Recording;
    before(async () => {
      const secrets = { API_KEY: "apps/web#api_key", SAME: "apps/web#api_key", OTHER: "apps/web#other" };
      recording = await record(() => {
        const scene = new Scene();
        scene.app("web", { vault: scene.secrets(), secrets });
      });
    });

    it("takes them from a Secret that follows Vault, under the names it gave", () => {
      assert.deepEqual(field(one(recording, "Deployment"), `${CONTAINER}.envFrom`), [
        { secretRef: { name: "web-env" } },
      ]);
      const synced = one(recording, "ExternalSecret");
      assert.deepEqual(field(synced, "spec.target.template.data"), {
        API_KEY: "{{ .api_key }}",
        SAME: "{{ .api_key }}",
        OTHER: "{{ .other }}",
      });
      const asked = (field(synced, "spec.data") as { remoteRef: unknown }[]).map(({ remoteRef }) => remoteRef);
      assert.deepEqual(
        asked,
        ["api_key", "other"].map((property) => ({ key: "apps/web", property })),
      );
    });

    it("is read for by an identity that may read the application's path and no other", () => {
      const policy = field(one(recording, "Policy"), "policy") as string;
      assert.equal(policy, 'path "kv/data/apps/web" { capabilities = ["read"] }');
      const role = one(recording, "AuthBackendRole");
      assert.deepEqual(field(role, "boundServiceAccountNamespaces"), ["dev-apps"]);
    });
  });

  it("is given what was generated for it, from Vault, each value by itself", async () => {
    const recording = await record(() => {
      const scene = new Scene();
      scene.app("web", { vault: scene.secrets(), generate: ["KEY", "SALT"] });
    });
    const kept = recording.resources.filter(({ type }) => type.endsWith(":SecretV2"));
    assert.deepEqual(
      kept.map(({ inputs, opened }) => [inputs.name, inputs.dataJson, opened.dataJson]),
      ["KEY", "SALT"].map((variable) => [
        `generated/web/${variable}`,
        SECRET,
        JSON.stringify({ [variable]: `generated-web-generated-${variable}` }),
      ]),
    );
    assert.deepEqual(field(one(recording, "ExternalSecret"), "spec.target.template.data"), {
      KEY: "{{ .KEY }}",
      SALT: "{{ .SALT }}",
    });
    const policy = field(one(recording, "Policy"), "policy") as string;
    const paths = [...policy.matchAll(/"kv\/data\/([^"]+)"/g)].map(([, path]) => path);
    assert.deepEqual(paths, ["generated/web/KEY", "generated/web/SALT"]);
  });

  it("connects to what it is linked with", async () => {
    const peer = { name: "search", namespace: "dev-data", selector: { app: "search" } };
    const recording = await app({ links: [{ peer, port: 9200 }] });
    assert.deepEqual(names(recording, "NetworkPolicy").sort(), ["web-to-search-egress", "web-to-search-ingress"]);
    const egress = one(recording, "NetworkPolicy", "web-to-search-egress");
    assert.deepEqual(field(egress, "spec.egress.0.ports"), [{ protocol: "TCP", port: 9200 }]);
  });

  it("takes the resources it is given, and the usual ones where nothing is said", async () => {
    const given = one(await app({ resources: { limits: { memory: "1Gi" } } }), "Deployment");
    assert.deepEqual(field(given, `${CONTAINER}.resources.limits`), { cpu: "1", memory: "1Gi" });
    const usual = { requests: { cpu: "50m", memory: "96Mi" }, limits: { cpu: "1", memory: "256Mi" } };
    assert.deepEqual(field(one(await app(), "Deployment"), `${CONTAINER}.resources`), usual);
  });

  it("hard, never has two replicas of a revision on one node; soft, it may", async () => {
    const path = "spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.0";
    const term = field(one(await app({ replicas: 3, spread: "hard" }), "Deployment"), path) as Fields;
    assert.equal(term.topologyKey, "kubernetes.io/hostname");
    assert.deepEqual(term.matchLabelKeys, ["pod-template-hash"]);
    assert.equal(field(one(await app(), "Deployment"), "spec.template.spec.affinity"), undefined);
  });

  it("lets a transform have the last word on each child", async () => {
    const mark = <T extends { metadata?: unknown }>(args: T): T => ({
      ...args,
      metadata: { ...(args.metadata as object), annotations: { marked: "yes" } },
    });
    const all = { deployment: mark, service: mark, budget: mark, autoscaler: mark, route: mark };
    const recording = await record(() => {
      const scene = new Scene();
      const change = { replicas: undefined, autoscale: { min: 1, max: 2, cpu: 60 }, edge: scene.edge(), host: "web" };
      scene.app("web", { ...change, transforms: all });
    });
    for (const role of ["server", "service", "budget", "autoscaler", "route"]) {
      const child = recording.resources.find(({ name }) => name === `web-${role}`);
      assert.deepEqual(child && field(child, "metadata.annotations"), { marked: "yes" }, role);
    }
  });

  it("is refused with all that is wrong about it", async () => {
    const secrets = { KEY: "apps/b#key" };
    const wrong = { replicas: 2, autoscale: { min: 3, max: 2, cpu: 60 }, host: "web", secrets, load: ["load"] };
    await assert.rejects(app(wrong), (error: Error) => {
      const places = [...error.message.matchAll(/^ {2}- (\S+): found/gm)].map(([, place]) => place);
      assert.deepEqual(places, ["replicas", "edge", "store", "vault", "args.secrets.KEY", "args.autoscale.min"]);
      return error.message.startsWith('the application "web" cannot be made:');
    });
    await assert.rejects(app({ path: "/api" }), /path: found "\/api", allowed is nothing, as there is no host/);
    await assert.rejects(app({ replicas: undefined }), /replicas: found nothing, allowed is a number, or autoscale/);
  });
});
