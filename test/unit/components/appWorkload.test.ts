import assert from "node:assert/strict";
import type { AppWorkloadArgs } from "../../../components/appWorkload";
import { type Recording, SECRET, answer, record } from "./recorder";
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
        scene.app("web", { redis: scene.redis(), env: { LEVEL: "info" } });
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
      assert.equal(names(recording, "NetworkPolicy").length, 2);
    });

    it("takes the credentials from a secret, and plain settings as they are", () => {
      const secret = one(recording, "Secret", "web-redis");
      assert.equal(secret.inputs.stringData, SECRET);
      assert.deepEqual(secret.opened.stringData, {
        REDIS_MODE: "standalone",
        REDIS_HOST: "redis.dev-data.svc.cluster.local",
        REDIS_PORT: "6379",
        REDIS_USERNAME: "app",
        REDIS_PASSWORD: "generated-redis-password",
      });
      const server = one(recording, "Deployment");
      assert.deepEqual(field(server, `${CONTAINER}.envFrom`), [{ secretRef: { name: "web-redis-auto" } }]);
      assert.deepEqual(field(server, `${CONTAINER}.env`), [{ name: "LEVEL", value: "info" }]);
    });

    it("starts after it", () => {
      const { dependencies } = one(recording, "Deployment");
      assert.ok(dependencies.includes(one(recording, "StatefulSet").urn));
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

  it("exposed, takes a host name for its address, and says when there is none", async () => {
    const given =
      (ingress: object[]): typeof answer =>
      (args) => {
        const { id, state } = answer(args) as { id: string; state: object };
        return {
          id,
          state: args.type.endsWith(":Service") ? { ...state, status: { loadBalancer: { ingress } } } : state,
        };
      };
    const named = await app({ expose: true }, given([{ hostname: "lb.example", ip: "192.0.2.1" }]));
    assert.equal(named.outputs.endpoint, "http://lb.example");
    const none = await app({ expose: true }, given([]));
    assert.match(none.outputs.endpoint as string, /^no address yet: .*pulumi refresh/);
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

  it("pulls with the secret it is given", async () => {
    const path = "spec.template.spec.imagePullSecrets";
    assert.deepEqual(field(one(await app({ pullSecret: "regcred" }), "Deployment"), path), [{ name: "regcred" }]);
    assert.deepEqual(field(one(await app(), "Deployment"), path), []);
  });
});
