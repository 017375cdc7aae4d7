import assert from "node:assert/strict";
import { type Manifest, UNKNOWN } from "../../policy/rules/manifest";
import { missingReferences } from "../../policy/rules/references";
import { carry, container, faultsIn, template } from "./manifests";

const reads = (name: unknown, key = "password"): Manifest =>
  carry("Deployment", template([container({ env: [{ name: "A", valueFrom: { secretKeyRef: { name, key } } }] })]))
    .manifest;
const secret = (name: unknown, fields: object = {}, namespace: unknown = "dev-apps"): Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace },
  ...fields,
});
const role = (verbs: string[]): Manifest => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  metadata: { name: "r", namespace: "dev-apps" },
  rules: [{ apiGroups: [""], resources: ["secrets"], verbs }],
});
const told = (...set: Manifest[]): (string | undefined)[] =>
  (faultsIn(missingReferences, set)[0] ?? []).map(({ undecidable, soft }) =>
    undecidable ? "open" : soft ? "soft" : "sure",
  );

describe("rule missing-reference", () => {
  it("is sure of what nothing here makes, and only warns where something may make it later", () => {
    assert.deepEqual(told(reads("db")), ["sure"]);
    assert.deepEqual(told(reads("db"), role(["get"])), ["sure"]);
    assert.deepEqual(told(reads("db"), role(["create"])), ["soft"]);
  });

  it("leaves open what a preview cannot know", () => {
    assert.deepEqual(told(reads("db"), secret(UNKNOWN)), ["open"]);
    assert.deepEqual(told(reads(UNKNOWN), secret("db")), ["open"]);
    assert.deepEqual(told(reads("db"), secret("db", {}, UNKNOWN)), ["open"]);
    assert.deepEqual(told(reads("db"), secret("db", { data: UNKNOWN })), []);
    assert.deepEqual(told(reads("db"), secret("db", { data: { password: UNKNOWN } })), []);
  });

  it("adds up the keys of several that make one Secret, and trusts those whose keys are not known", () => {
    const user = secret("db", { stringData: { user: "a" } });
    assert.deepEqual(told(reads("db"), user), ["sure"]);
    assert.deepEqual(told(reads("db"), user, secret("db", { data: { password: "eA==" } })), []);
    const made = { apiVersion: "secrets.hashicorp.com/v1beta1", kind: "VaultStaticSecret" };
    const metadata = { name: "x", namespace: "dev-apps" };
    assert.deepEqual(told(reads("db"), { ...made, metadata, spec: { destination: { name: "db" } } }), []);
  });
});
