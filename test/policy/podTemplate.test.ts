import assert from "node:assert/strict";
import { judgeObject } from "../../policy/judge";
import { allContainers, CUSTOM_CARRIERS, podTemplates } from "../../policy/rules/podTemplate";
import { JUDGEMENT, rooted, template } from "./manifests";

/** The template at the end of a way; "*" is a list of two. */
function wrap(keys: readonly string[], value: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const inner = wrap(rest, value);
  return key === "*" ? [inner, inner] : { [key]: inner };
}

describe("pod templates", () => {
  for (const { kind, group, templates } of CUSTOM_CARRIERS) {
    for (const keys of templates) {
      it(`are found in a ${kind} of ${group}, at ${keys.join(".") || "its top"}`, () => {
        const manifest = { apiVersion: `${group}/v1`, kind, ...(wrap(keys, template([rooted()])) as object) };
        const { findings } = judgeObject({ manifest, pulumiName: "x" }, JUDGEMENT);
        const found = findings.filter(({ rule }) => rule === "non-root");
        assert.equal(found.length, keys.includes("*") ? 2 : 1);
      });
    }
  }

  it("are found by name where a custom resource has them in an object", () => {
    const manifest = {
      apiVersion: "kubeflow.org/v1",
      kind: "PyTorchJob",
      spec: { pytorchReplicaSpecs: { Master: { template: template([rooted()]) } } },
    };
    const [found] = podTemplates(manifest);
    assert.equal(found?.spec.path, "spec.pytorchReplicaSpecs.Master.template.spec");
    assert.equal(found?.lasting, false);
  });

  it("are not found in kinds of the same name that have none", () => {
    for (const apiVersion of ["batch.example.com/v1", "v1"]) {
      assert.deepEqual(podTemplates({ apiVersion, kind: "Deployment", spec: { template: template([]) } }), []);
    }
    const service = { apiVersion: "v1", kind: "Service", spec: { template: template([rooted()]) } };
    assert.deepEqual(podTemplates(service), []);
  });

  it("tell a sidecar from what runs before", () => {
    const pod = template([{ name: "a" }], {
      initContainers: [{ name: "b" }, { name: "c", restartPolicy: "Always" }],
      ephemeralContainers: [{ name: "d" }],
    });
    const [found] = podTemplates({ apiVersion: "v1", kind: "Pod", ...pod });
    assert.ok(found);
    assert.deepEqual(
      allContainers(found).map(({ name, role }) => `${name} ${role}`),
      ["a container", "b init", "c sidecar", "d ephemeral"],
    );
  });
});
