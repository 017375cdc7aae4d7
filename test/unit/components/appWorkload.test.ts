import assert from "node:assert/strict";
import type { AppWorkloadArgs } from "../../../components/appWorkload";
import { type Fields, type Recording, answer, record } from "./recorder";
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
      assert.equal(names(recording, "NetworkPolicy").filter((name) => name.startsWith("web-")).length, 2);
    });

    it("takes the credentials from a secret, and plain settings as they are", () => {
      const server = one(recording, "Deployment");
      assert.deepEqual(field(server, `${CONTAINER}.envFrom`), [{ secretRef: { name: "web-redis" } }]);
      assert.deepEqual(field(server, `${CONTAINER}.env`), [{ name: "LEVEL", value: "info" }]);
    });

    it("starts after it", () => {
      const { dependencies } = one(recording, "Deployment");
      assert.ok(dependencies.includes(one(recording, "StatefulSet", "redis-server").urn));
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

  it("pulls with the secret it is given", async () => {
    const path = "spec.template.spec.imagePullSecrets";
    assert.deepEqual(field(one(await app({ pullSecret: "regcred" }), "Deployment"), path), [{ name: "regcred" }]);
    assert.deepEqual(field(one(await app(), "Deployment"), path), []);
  });
});
