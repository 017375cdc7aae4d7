import assert from "node:assert/strict";
import { clusterOf, opened, pathOf, wantedObjects } from "../../../drift/state";

const secret = (value: unknown): object => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});

const resource = {
  urn: "urn",
  type: "kubernetes:core/v1:Secret",
  custom: true,
  inputs: { apiVersion: "v1", kind: "Secret", metadata: { name: "a", namespace: "b" }, data: secret({ key: "eA==" }) },
  outputs: { __fieldManager: "pulumi-kubernetes-1" },
};

describe("what a state wants", () => {
  it("is opened, with the places of what is secret", () => {
    assert.deepEqual(opened({ a: [secret("x"), 1], b: null }), {
      value: { a: ["x", 1], b: null },
      secret: [["f:a", "i:0"]],
    });
    assert.deepEqual(opened(secret({ a: secret("x") })), { value: { a: "x" }, secret: [[]] });
  });

  it("is the objects of the cluster, each with the name it writes by and what it leaves to others", () => {
    const [found, ...more] = wantedObjects([{ ...resource, ignoreChanges: ["spec.replicas"] }]);
    assert.equal(more.length, 0);
    assert.deepEqual(found?.object.data, { key: "eA==" });
    assert.equal(found?.fieldManager, "pulumi-kubernetes-1");
    assert.deepEqual(found?.ignored, [["f:spec", "f:replicas"]]);
    assert.ok(found?.secret.some((path) => path.join() === "f:data"));
  });

  it("is not what is no object, belongs to somebody else, or is about to go", () => {
    for (const more of [{ type: "random:index:X" }, { custom: false }, { external: true }, { delete: true }])
      assert.deepEqual(wantedObjects([{ ...resource, ...more }]), []);
  });

  it("is refused where its secrets could not be decrypted, of which Pulumi says nothing", () => {
    const inputs = { ...resource.inputs, data: secret(null) };
    assert.throws(() => wantedObjects([{ ...resource, inputs }]), /the passphrase is not that of this stack/);
  });

  it("leaves the replicas of what an autoscaler scales to it, and of nothing else", () => {
    const deployment = (name: string): typeof resource => ({
      ...resource,
      type: "kubernetes:apps/v1:Deployment",
      inputs: { ...resource.inputs, kind: "Deployment", metadata: { name, namespace: "b" } },
    });
    const scaler = {
      ...resource,
      type: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
      inputs: { metadata: { name: "x", namespace: "b" }, spec: { scaleTargetRef: { kind: "Deployment", name: "a" } } },
    };
    const [a, other] = wantedObjects([deployment("a"), deployment("other"), scaler]);
    assert.deepEqual(a?.ignored, [["f:spec", "f:replicas"]]);
    assert.deepEqual(other?.ignored, []);
  });

  it("reads a property path of Pulumi's", () => {
    assert.deepEqual(pathOf("spec.rules[0].weight"), ["f:spec", "f:rules", "i:0", "f:weight"]);
    assert.deepEqual(pathOf('metadata.labels["a.b/c"]'), ["f:metadata", "f:labels", "f:a.b/c"]);
  });

  it("knows the cluster that it is bound to", () => {
    const provider = { urn: "p", type: "pulumi:providers:kubernetes", inputs: { clusterIdentifier: "uid" } };
    assert.equal(clusterOf([resource, provider]), "uid");
    assert.equal(clusterOf([resource]), undefined);
  });
});
