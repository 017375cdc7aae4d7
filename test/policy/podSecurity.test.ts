import assert from "node:assert/strict";
import { nonRoot } from "../../policy/rules/podSecurity";
import { UNKNOWN } from "../../policy/rules/manifest";
import { carry, container, everyKind, template } from "./manifests";

const paths = (pod: Record<string, unknown>): string[] =>
  nonRoot(carry("Deployment", pod).manifest).map(({ path }) => path);
const CONTAINER = "spec.template.spec.containers[0].securityContext";

describe("rule non-root", () => {
  for (const { kind, manifest } of everyKind(template([container()]))) {
    it(`passes a ${kind} that says it`, () => assert.deepEqual(nonRoot(manifest), []));
  }

  for (const { kind, manifest, path } of everyKind(template([container({ securityContext: {} })]))) {
    it(`fails a ${kind} that leaves it to the image`, () => {
      const [fault, ...more] = nonRoot(manifest);
      assert.equal(fault?.path, `${path}spec.containers[0].securityContext.runAsNonRoot`);
      assert.equal(fault?.found, "is not set");
      assert.equal(fault?.container, "api");
      assert.equal(more.length, 0);
    });
  }

  it("takes the pod's word for a container that says nothing", () => {
    const pod = { securityContext: { runAsNonRoot: true } };
    assert.deepEqual(
      paths(template([container({ securityContext: {} }), container({ securityContext: null })], pod)),
      [],
    );
  });

  it("does not let the pod's word cover a container that says false", () => {
    const faulty = container({ securityContext: { runAsNonRoot: false } });
    assert.deepEqual(paths(template([faulty], { securityContext: { runAsNonRoot: true } })), [
      `${CONTAINER}.runAsNonRoot`,
    ]);
  });

  it("names a pod that says false once, not for each container", () => {
    const silent = container({ securityContext: {} });
    const pod = { securityContext: { runAsNonRoot: false } };
    assert.deepEqual(paths(template([silent, silent], pod)), ["spec.template.spec.securityContext.runAsNonRoot"]);
  });

  it("refuses user 0 for the pod and for a container", () => {
    const faulty = container({ securityContext: { runAsNonRoot: true, runAsUser: 0 } });
    assert.deepEqual(paths(template([faulty], { securityContext: { runAsUser: 0 } })), [
      "spec.template.spec.securityContext.runAsUser",
      `${CONTAINER}.runAsUser`,
    ]);
    assert.deepEqual(paths(template([container({ securityContext: { runAsNonRoot: true, runAsUser: 1000 } })])), []);
  });

  it("refuses what only looks like true or like a user", () => {
    const faulty = container({ securityContext: { runAsNonRoot: "true", runAsUser: "1000" } });
    assert.deepEqual(paths(template([faulty])), [`${CONTAINER}.runAsNonRoot`, `${CONTAINER}.runAsUser`]);
  });

  for (const [field, role] of [
    ["initContainers", "init containers"],
    ["ephemeralContainers", "ephemeral containers"],
  ] as const) {
    it(`looks at ${role}`, () => {
      const faulty = container({ name: "other", securityContext: {}, restartPolicy: "Always" });
      const [fault] = nonRoot(carry("Pod", template([container()], { [field]: [faulty] })).manifest);
      assert.equal(fault?.path, `spec.${field}[0].securityContext.runAsNonRoot`);
      assert.equal(fault?.container, "other");
    });
  }

  it("ignores a kind of the same name from another API group", () => {
    const { manifest } = carry("Job", template([container({ securityContext: {} })]));
    assert.deepEqual(nonRoot({ ...manifest, apiVersion: "batch.example.com/v1" }), []);
    assert.equal(nonRoot({ ...manifest, apiVersion: undefined }).length, 1);
  });

  it("says where knowledge ends and judges the rest", () => {
    const unknownUser = container({ securityContext: { runAsNonRoot: true, runAsUser: UNKNOWN } });
    const root = container({ name: "root", securityContext: {} });
    const faults = nonRoot(carry("Deployment", template([unknownUser, UNKNOWN as never, root])).manifest);
    assert.deepEqual(
      faults.map(({ path, undecidable }) => [path, undecidable]),
      [
        [`${CONTAINER}.runAsUser`, true],
        ["spec.template.spec.containers[1]", true],
        ["spec.template.spec.containers[2].securityContext.runAsNonRoot", undefined],
      ],
    );
    const [whole, ...more] = nonRoot({ kind: "Deployment", spec: UNKNOWN });
    assert.deepEqual([whole?.path, whole?.undecidable, more.length], ["spec", true, 0]);
  });
});
