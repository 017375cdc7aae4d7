import assert from "node:assert/strict";
import { UNKNOWN } from "../../policy/rules/manifest";
import { limits } from "../../policy/rules/resources";
import { amounts, carry, container, everyKind, template } from "./manifests";

const faultsOf = (change: Record<string, unknown>): [string, string][] =>
  limits(carry("Pod", template([container(change)])).manifest).map(({ path, found }) => [
    path.replace("spec.containers[0].resources.", ""),
    found,
  ]);

describe("rule limits", () => {
  for (const { kind, manifest } of everyKind(template([container()]))) {
    it(`passes a ${kind} whose container says all four`, () => assert.deepEqual(limits(manifest), []));
  }

  for (const { kind, manifest, path } of everyKind(template([container({ resources: undefined })]))) {
    it(`fails a ${kind} whose container says nothing, once for each field`, () => {
      const resources = `${path}spec.containers[0].resources`;
      assert.deepEqual(
        limits(manifest).map((fault) => fault.path),
        ["requests.cpu", "limits.cpu", "requests.memory", "limits.memory"].map((field) => `${resources}.${field}`),
      );
    });
  }

  it("refuses what is no quantity, or none above zero", () => {
    const requests = { cpu: "lots", memory: 0 };
    assert.deepEqual(faultsOf({ resources: { requests, limits: amounts("-1", "64mb") } }), [
      ["requests.cpu", 'is "lots", not a quantity'],
      ["limits.cpu", 'is "-1"'],
      ["requests.memory", "is 0"],
      ["limits.memory", 'is "64mb", not a quantity'],
    ]);
  });

  it("compares amounts, not texts", () => {
    const with_ = (cpu: string, limit: unknown): [string, string][] =>
      faultsOf({ resources: { requests: amounts(cpu, "1Gi"), limits: { cpu: limit, memory: "1024Mi" } } });
    assert.deepEqual(with_("1000m", 1), []);
    assert.deepEqual(with_("0.5", "500m"), []);
    assert.deepEqual(with_("1", "999m"), [["limits.cpu", 'is "999m", below the request of "1"']]);
  });

  it("looks at init containers and sidecars, and not at ephemeral ones, which cannot have resources", () => {
    const bare = container({ name: "bare", resources: undefined });
    const pod = (field: string): number =>
      limits(carry("Pod", template([container()], { [field]: [bare] })).manifest).length;
    assert.equal(pod("initContainers"), 4);
    assert.equal(pod("ephemeralContainers"), 0);
  });

  it("reports one unknown parent once", () => {
    const faults = limits(carry("Pod", template([container({ resources: UNKNOWN })])).manifest);
    assert.deepEqual(
      faults.map(({ path, undecidable }) => [path, undecidable]),
      [["spec.containers[0].resources", true]],
    );
  });
});
