import assert from "node:assert/strict";
import { Admission } from "../../../components/admission";
import { type Recording, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

describe("Admission", () => {
  let recording: Recording;
  before(async () => {
    recording = await record(() => {
      const scene = new Scene();
      const args = { concerns: ["data", "apps"], imagesFrom: ["registry.example/"] };
      for (const environment of ["dev", "prod"]) {
        const admission = new Admission(environment, { environment, ...args }, scene.opts);
        if (environment !== "dev") continue;
        const home = scene.environment("dev", { admission: admission.policies });
        scene.redis("redis", { namespace: home.namespace("data") });
      }
    });
  });

  it("makes policies for each environment under names of its own, side by side", () => {
    for (const kind of ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]) {
      const found = names(recording, kind).map((name) => field(one(recording, kind, name), "metadata.name"));
      assert.equal(new Set(found).size, found.length);
      assert.ok(found.includes("dev-policies-pods") && found.includes("prod-policies-objects-advisory"), found.join());
    }
  });

  it("binds them to the namespaces of the environment, and refuses or warns", () => {
    for (const [role, actions] of [
      ["pods", ["Deny"]],
      ["objects-advisory", ["Warn", "Audit"]],
    ] as const) {
      const binding = one(recording, "ValidatingAdmissionPolicyBinding", `dev-${role}-binding`);
      assert.equal(field(binding, "spec.policyName"), `dev-policies-${role}`);
      assert.deepEqual(field(binding, "spec.validationActions"), actions);
      assert.deepEqual(field(binding, "spec.matchResources.namespaceSelector.matchExpressions"), [
        { key: "kubernetes.io/metadata.name", operator: "In", values: ["dev-data", "dev-apps"] },
      ]);
    }
  });

  it("reads the time where an exemption may end, and there alone", () => {
    const clocks = names(recording, "ValidatingAdmissionPolicy").filter((name) => {
      const kind = field(one(recording, "ValidatingAdmissionPolicy", name), "spec.paramKind.kind");
      const bound = field(
        one(recording, "ValidatingAdmissionPolicyBinding", `${name}-binding`),
        "spec.paramRef.namespace",
      );
      assert.deepEqual([kind, bound], kind === undefined ? [undefined, undefined] : ["Lease", "kube-system"]);
      return kind !== undefined;
    });
    assert.deepEqual(clocks.sort(), [
      "dev-objects-advisory",
      "dev-pods-advisory",
      "prod-objects",
      "prod-objects-advisory",
      "prod-pods",
    ]);
  });

  it("takes the images of its lock, and no others", () => {
    const variables = field(one(recording, "ValidatingAdmissionPolicy", "dev-pods"), "spec.variables") as {
      name: string;
      expression: string;
    }[];
    const origin = variables.find(({ name }) => name === "imageOrigin");
    assert.ok(origin?.expression.includes('["registry.example/"].exists(start'));
  });

  it("stands before anything is put into the namespaces", () => {
    const binding = one(recording, "ValidatingAdmissionPolicyBinding", "dev-pods-binding");
    assert.ok(one(recording, "StatefulSet", "redis-server").dependencies.includes(binding.urn));
    assert.ok(!one(recording, "Namespace", "dev-apps").dependencies.includes(binding.urn));
  });
});
