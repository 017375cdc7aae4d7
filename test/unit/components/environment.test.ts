import assert from "node:assert/strict";
import { type Recording, type Settings, answer, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

describe("Environment", () => {
  let recording: Recording;
  before(async () => {
    recording = await record(() => {
      const scene = new Scene();
      const environment = scene.environment("qa", { quota: { cpu: "12", memory: "12Gi", pods: 60 } });
      scene.redis("redis", { namespace: environment.namespace("data") });
      return { names: environment.names };
    });
  });

  it("makes a namespace for each concern, that takes restricted pods only", () => {
    assert.deepEqual(names(recording, "Namespace"), ["qa-registry", "qa-data", "qa-apps"]);
    const namespace = one(recording, "Namespace", "qa-apps");
    assert.equal(field(namespace, "metadata.name"), "qa-apps");
    const labels = field(namespace, "metadata.labels") as Record<string, string>;
    assert.equal(labels["pod-security.kubernetes.io/enforce"], "restricted");
    assert.equal(labels["platform/environment"], "qa");
  });

  it("takes more than restricted pods where that is asked, and in all modes alike", async () => {
    const asked = await record(
      () => void new Scene().environment("platform", { concerns: ["nodes"], podSecurity: "privileged" }),
    );
    const labels = Object.entries(field(one(asked, "Namespace"), "metadata.labels") as Record<string, string>);
    const profiles = labels.filter(([key]) => key.startsWith("pod-security.kubernetes.io/"));
    assert.deepEqual(
      profiles.map(([, profile]) => profile),
      ["privileged", "privileged", "privileged"],
    );
  });

  it("denies all traffic both ways, in each of them", () => {
    for (const name of ["registry", "data", "apps"]) {
      const { inputs } = one(recording, "NetworkPolicy", `qa-${name}-default-deny`);
      assert.equal((inputs.metadata as { namespace: string }).namespace, `qa-${name}`);
      assert.deepEqual(inputs.spec, { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    }
  });

  it("opens name resolution, and nothing else", () => {
    const policies = names(recording, "NetworkPolicy").filter((name) => name.startsWith("qa-apps-"));
    assert.deepEqual(policies.sort(), ["qa-apps-default-deny", "qa-apps-dns"]);
    const spec = field(one(recording, "NetworkPolicy", "qa-apps-dns"), "spec") as Record<string, unknown>;
    assert.deepEqual(spec.policyTypes, ["Egress"]);
    assert.deepEqual(spec.egress, [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
            podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
          },
        ],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
    ]);
  });

  it("bounds what each namespace takes, and what a container takes that does not say", () => {
    const hard = field(one(recording, "ResourceQuota", "qa-data-quota"), "spec.hard") as Record<string, string>;
    assert.equal(hard["requests.cpu"], "12");
    assert.equal(hard["requests.memory"], "12Gi");
    assert.equal(hard.pods, "60");
    assert.equal(field(one(recording, "LimitRange", "qa-data-limits"), "spec.limits.0.default.memory"), "256Mi");
  });

  it("lets a workload into a namespace only once its guards stand", () => {
    const { dependencies } = one(recording, "StatefulSet", "redis-server");
    for (const guard of ["qa-data-default-deny", "qa-data-dns", "qa-data-quota", "qa-data-limits"])
      assert.ok(
        dependencies.some((urn) => urn.endsWith(`::${guard}`)),
        `does not wait for ${guard}`,
      );
  });

  it("lets nothing into a namespace before it was entered, and enters none in a preview", async () => {
    const entered: string[] = [];
    const policies: Record<string, number> = {};
    const newResource: Settings["newResource"] = (args) => {
      if (args.type.endsWith(":NetworkPolicy")) policies[args.name] = entered.length;
      return answer(args);
    };
    const enter = async (namespace: string): Promise<void> => {
      await new Promise((done) => setTimeout(done, 20));
      entered.push(namespace);
    };
    const program = (): void => void new Scene().environment("qa", { concerns: ["apps"], enter });
    await record(program, { newResource });
    assert.deepEqual(entered, ["qa-apps"]);
    assert.deepEqual(policies, { "qa-apps-default-deny": 1, "qa-apps-dns": 1 });
    await record(program, { preview: true });
    assert.deepEqual(entered, ["qa-apps"]);
  });

  it("gives the names, and for an unknown concern says which there are", async () => {
    assert.deepEqual(recording.outputs.names, { registry: "qa-registry", data: "qa-data", apps: "qa-apps" });
    const asked = record(() => void new Scene().environment().namespace("secrets"));
    await assert.rejects(asked, /environment has no namespace for "secrets": it has registry, data, apps/);
  });
});
