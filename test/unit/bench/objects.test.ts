import assert from "node:assert/strict";
import { type Live, differencesBetween, differencesFromWanted, normalised } from "../../../bench/equality";
import { NAMESPACES, type KubernetesObject, objectSets } from "../../../bench/objects";
import { judgeObject, judgeSet } from "../../../policy/judge";
import { policySettings } from "../../../policy/settings";

const keys = (objects: readonly KubernetesObject[]): string[] =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
const changed = (from: readonly KubernetesObject[], to: readonly KubernetesObject[]): number =>
  to.filter((object, index) => JSON.stringify(object) !== JSON.stringify(from[index])).length;

describe("bench: objects", () => {
  for (const count of [10, 30, 100, 300]) {
    it(`makes ${count}, of which one, then a tenth changes, then a tenth goes`, () => {
      const { base, one, tenth, pruned } = objectSets(count);
      assert.equal(base.length, count);
      assert.equal(new Set(keys(base)).size, count);
      assert.equal(changed(base, one), 1);
      assert.equal(changed(one, tenth), count / 10);
      assert.equal(pruned.length, count - count / 10);
      assert.deepEqual(
        keys(pruned),
        keys(tenth).filter((key) => keys(pruned).includes(key)),
      );
    });
  }

  it("breaks no rule, in any environment, whatever has changed or gone", () => {
    for (const [environment, objects] of ["dev", "qa", "prod"].flatMap((name) =>
      Object.values(objectSets(100)).map((set) => [name, set as readonly KubernetesObject[]] as const),
    )) {
      const settings = policySettings(environment);
      const subjects = objects.map((manifest) => ({ manifest, pulumiName: manifest.metadata.name }));
      const alone = subjects.flatMap((subject) => judgeObject(subject, settings.objects).findings);
      const together = judgeSet(subjects, settings.stack).flatMap(({ findings }) => findings);
      assert.deepEqual([...alone, ...together], []);
    }
  });

  it("stays within the namespaces that a run makes", () => {
    const used = new Set(objectSets(100).base.map(({ metadata }) => metadata.namespace));
    assert.deepEqual([...used].sort(), [...NAMESPACES]);
  });
});

describe("bench: equality", () => {
  const [deployment, service] = objectSets(10).base as [KubernetesObject, KubernetesObject];
  /** As a server keeps it, and a tool marks it. */
  const live = (object: KubernetesObject, more: object = {}): Live => {
    const { spec, metadata, ...rest } = object;
    const { annotations, labels } = metadata;
    return {
      ...rest,
      metadata: {
        ...metadata,
        uid: crypto.randomUUID(),
        resourceVersion: "7",
        managedFields: [{}],
        labels: { ...labels, "app.kubernetes.io/managed-by": "Helm" },
        annotations: { ...annotations, "meta.helm.sh/release-name": "bench" },
      },
      spec: { ...(spec as object), clusterIP: "198.18.4.9", progressDeadlineSeconds: 600, ...more },
      status: { observedGeneration: 1 },
    };
  };
  const keyOf = ({ kind, metadata }: KubernetesObject): string => `${kind} ${metadata.namespace}/${metadata.name}`;
  const found = (...objects: readonly (readonly [KubernetesObject, Live])[]): Map<string, unknown> =>
    new Map(objects.map(([object, each]) => [keyOf(object), normalised(each)]));

  it("does not see what a server or a tool adds", () => {
    const one = found([deployment, live(deployment)]);
    assert.deepEqual(differencesFromWanted([deployment], one), []);
    assert.deepEqual(differencesBetween(one, found([deployment, live(deployment)])), []);
  });

  it("sees a field that differs, an object too many and one too few", () => {
    const other = found([deployment, live(deployment, { replicas: 5 })]);
    assert.deepEqual(differencesFromWanted([deployment], other), [
      `${keyOf(deployment)}: .spec.replicas is not as given`,
    ]);
    assert.deepEqual(differencesFromWanted([service], other), [
      `${keyOf(deployment)}: should not be there`,
      `${keyOf(service)}: is missing`,
    ]);
    assert.equal(differencesBetween(found([deployment, live(deployment)]), other).length, 1);
    assert.equal(differencesBetween(found(), other).length, 1);
  });
});
