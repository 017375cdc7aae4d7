import assert from "node:assert/strict";
import { leavingOthers, takenOver } from "../../../drift/cluster";
import { type LiveObject, differences } from "../../../drift/compare";
import { type FieldSet, type Ownership, type Path, shown } from "../../../drift/fields";
import type { Wanted } from "../../../drift/state";

const OURS = "pulumi-kubernetes-1";
const WEB = 'k:{"name":"web"}';
const ENV = 'k:{"name":"A"}';
const TIME = "2026-01-02T03:04:05Z";

const set = (fields: FieldSet): FieldSet => ({ "f:spec": fields });
const own: Ownership = {
  manager: OURS,
  operation: "Apply",
  fieldsV1: set({
    "f:replicas": {},
    "f:containers": { [WEB]: { ".": {}, "f:image": {}, "f:env": { [ENV]: { ".": {}, "f:value": {} } } } },
    "f:rules": {},
  }),
};
const entry = (manager: string, fields: FieldSet, more: Partial<Ownership> = {}): Ownership => ({
  manager,
  operation: "Update",
  time: TIME,
  fieldsV1: set(fields),
  ...more,
});

const object = (spec: object, managedFields: readonly Ownership[], metadata: object = {}): LiveObject => ({
  metadata: { name: "web", resourceVersion: String(Math.random()), ...metadata, managedFields },
  spec,
  status: { at: Math.random() },
});

const SPEC = {
  replicas: 1,
  containers: [{ name: "web", image: "a", env: [{ name: "A", value: "1" }] }],
  rules: [{ verbs: ["get"] }],
};

const found = (live: LiveObject, applied: LiveObject, ignored: readonly Path[] = []): string[] =>
  differences(live, applied, OURS, ignored).map(({ path, wanted, found, by, left }) =>
    [left && "left:", shown(path), JSON.stringify(wanted), JSON.stringify(found), by?.manager, by?.time]
      .filter(Boolean)
      .join(" "),
  );

describe("an object and what it would be with the stack's word applied again", () => {
  it("are the same where only the server's own fields differ", () => {
    assert.deepEqual(found(object(SPEC, [own], { generation: 1 }), object(SPEC, [own], { generation: 2 })), []);
  });

  it("differ in a field that a hand changed, by its name and time", () => {
    const live = object({ ...SPEC, replicas: 3 }, [
      own,
      entry("kubectl", { "f:replicas": {} }, { subresource: "scale" }),
    ]);
    assert.deepEqual(found(live, object(SPEC, [own])), [`spec.replicas 1 3 kubectl ${TIME}`]);
  });

  it("differ in the item of a list that it is in, known by its key, wherever it stands", () => {
    const containers = [
      { name: "early", image: "x" },
      { ...SPEC.containers[0], image: "b" },
    ];
    const theirs = entry("kubectl-edit", { "f:containers": { [WEB]: { "f:image": {} } } });
    const live = object({ ...SPEC, containers }, [own, theirs]);
    const applied = object({ ...SPEC, containers: [containers[0], SPEC.containers[0]] }, [own]);
    assert.deepEqual(found(live, applied), [`spec.containers[name=web].image "a" "b" kubectl-edit ${TIME}`]);
  });

  it("differ in an item that was added to a list of one owner, and name that owner", () => {
    const rules = [...SPEC.rules, { verbs: ["*"] }];
    const live = object({ ...SPEC, rules }, [own, entry("kubectl-patch", { "f:rules": {} })]);
    assert.deepEqual(found(live, object(SPEC, [own])), [`spec.rules[1] {"verbs":["*"]} kubectl-patch ${TIME}`]);
  });

  it("differ in the order of a list where that is all that changed", () => {
    const rules = [{ verbs: ["get"] }, { verbs: ["list"] }];
    const set = { [WEB]: {}, 'k:{"name":"b"}': {} };
    const items = [{ name: "web" }, { name: "b" }];
    assert.equal(found(object({ rules }, [own]), object({ rules: [...rules].reverse() }, [own])).length, 2);
    const keyed = [entry(OURS, { "f:list": set })];
    const turned = found(object({ list: items }, keyed), object({ list: [...items].reverse() }, keyed));
    assert.match(turned.join(), /^spec\.list /);
  });

  it("differ in a field that was taken away, of which nobody is remembered", () => {
    const containers = [{ name: "web", image: "a", env: [] }];
    assert.deepEqual(found(object({ ...SPEC, containers }, [own]), object(SPEC, [own])), [
      'spec.containers[name=web].env[name=A] {"name":"A","value":"1"}',
    ]);
  });

  it("differ in what a hand added, which applying again would leave there", () => {
    const sidecar = entry("curl", { "f:containers": { 'k:{"name":"x"}': { ".": {}, "f:image": {} } } });
    const both = object({ ...SPEC, containers: [...SPEC.containers, { name: "x", image: "y" }] }, [own, sidecar]);
    assert.deepEqual(found(both, both), [`spec.containers[name=x] {"name":"x","image":"y"} curl ${TIME}`]);
  });

  for (const manager of [
    "kube-controller-manager",
    "cert-manager-cainjector",
    "external-secrets",
    "before-first-apply",
  ])
    it(`are the same where ${manager} added a field of its own`, () => {
      const both = object({ ...SPEC, caBundle: "x" }, [own, entry(manager, { "f:caBundle": {} })]);
      assert.deepEqual(found(both, both), []);
    });

  it("are the same where somebody wrote a status, or asked for a restart", () => {
    const status = { manager: "anybody", subresource: "status", fieldsV1: { "f:status": { "f:at": {} } } };
    const restart = "f:kubectl.kubernetes.io/restartedAt";
    const restarted = {
      manager: "kubectl-rollout",
      fieldsV1: { "f:metadata": { "f:annotations": { [restart]: {} } } },
    };
    const metadata = { annotations: { [restart.slice(2)]: "now" } };
    const both = object(SPEC, [own, status, restarted], metadata);
    assert.deepEqual(found(both, both), []);
  });

  it("differ in a named field even where an operator changed it, and in none that the program leaves to others", () => {
    const live = object({ ...SPEC, replicas: 3 }, [own, entry("kube-controller-manager", { "f:replicas": {} })]);
    assert.equal(found(live, object(SPEC, [own])).length, 1);
    const left = found(live, object(SPEC, [own]), [["f:spec", "f:replicas"]]);
    assert.deepEqual(left, [`left: spec.replicas 1 3 kube-controller-manager ${TIME}`]);
  });
});

describe("putting back", () => {
  const wanted = (ignored: readonly Path[] = []): Wanted => ({
    urn: "urn",
    fieldManager: OURS,
    ignored,
    secret: [],
    object: { apiVersion: "v1", kind: "X", metadata: { name: "web" }, spec: { replicas: 1, rules: [{ weight: 1 }] } },
  });

  it("takes over what a hand added, so that applying without it takes it away, and leaves the rest to its owners", () => {
    const theirs = entry("kubectl-edit", { "f:replicas": {}, "f:extra": {} });
    const operator = entry("kube-controller-manager", { "f:other": {} });
    const [mine, ...others] = takenOver([own, theirs, operator], wanted()) ?? [];
    assert.deepEqual(mine?.fieldsV1, set({ ...own.fieldsV1?.["f:spec"], "f:extra": {} }));
    assert.deepEqual(others, [entry("kubectl-edit", { "f:replicas": {} }), operator]);
  });

  it("takes over nothing where nothing was added, or where the program leaves it to others", () => {
    assert.equal(takenOver([own, entry("kubectl", { "f:replicas": {} })], wanted()), undefined);
    const extra = entry("kubectl", { "f:extra": {} });
    assert.equal(takenOver([own, extra], wanted([["f:spec", "f:extra"]])), undefined);
    assert.equal(takenOver([extra], wanted())?.[0]?.manager, OURS);
  });

  it("sends what is left to others as it is while it is the stack's, and not at all when it is theirs", () => {
    const live = { ...object({ replicas: 5, rules: [{ weight: 7 }] }, [own]) };
    const ignored = [
      ["f:spec", "f:replicas"],
      ["f:spec", "f:rules", "i:0", "f:weight"],
    ];
    const sent = leavingOthers(wanted(ignored), live) as { spec: unknown };
    assert.deepEqual(sent.spec, { replicas: 5, rules: [{ weight: 7 }] });
    const theirs = { ...live, metadata: { name: "web", managedFields: [entry(OURS, { "f:rules": {} })] } };
    assert.deepEqual((leavingOthers(wanted(ignored), theirs) as { spec: unknown }).spec, { rules: [{ weight: 7 }] });
    assert.deepEqual(leavingOthers(wanted(ignored), undefined), wanted().object);
  });
});
