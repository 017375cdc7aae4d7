import assert from "node:assert/strict";
import { check } from "../../policy/check";
import type { Manifest } from "../../policy/rules/manifest";
import { asWritten, ofThese } from "../../policy/running";
import { readSettings } from "../../policy/settings";
import { carry, container, rooted, template } from "./manifests";

type Fields = Record<string, unknown>;

const owned = (kind: string, apiVersion: string, controller = true): Fields => ({
  ownerReferences: [{ kind, apiVersion, name: "web", uid: "1", controller }],
});
const pod = (metadata: Fields, spec: Fields = {}): Manifest =>
  carry("Pod", template([rooted()], spec), { name: "web-1", ...metadata }).manifest;

function rulesIn(...manifests: Manifest[]): string[] {
  const documents = asWritten(manifests).map((each, index) => ({ ...each, index, file: "stack dev" }));
  return check(documents, readSettings({}, "test", "check"), false).rows.map(({ rule, path }) => `${rule} ${path}`);
}

const FAULT = "non-root spec.containers[0].securityContext.runAsNonRoot";

describe("objects of a running stack", () => {
  it("are judged by the template that they were made from", () => {
    assert.deepEqual(rulesIn(pod(owned("ReplicaSet", "apps/v1"))), []);
    assert.deepEqual(rulesIn(pod(owned("Job", "batch/v1"))), []);
  });

  it("are judged themselves where no template is theirs", () => {
    assert.deepEqual(rulesIn(pod({})), [FAULT]);
    assert.deepEqual(rulesIn(pod(owned("Node", "v1"))), [FAULT]);
    assert.deepEqual(rulesIn(pod(owned("ReplicaSet", "apps/v1", false))), [FAULT]);
  });

  it("show a debugger that was put into a pod by hand", () => {
    const [path] = rulesIn(
      pod(owned("ReplicaSet", "apps/v1"), {
        ephemeralContainers: [container({ name: "debugger", securityContext: { privileged: true } })],
      }),
    );
    assert.match(path ?? "", /^privileged spec\.ephemeralContainers\[0\]/);
  });

  describe("under an autoscaler", () => {
    const scaler = {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "web", namespace: "dev-apps" },
      spec: { scaleTargetRef: { kind: "Deployment", name: "web" }, minReplicas: 1 },
    };
    const fieldsV1 = { "f:spec": { "f:replicas": {} } };
    const workload = (metadata: Fields): Manifest => {
      const { manifest } = carry("Deployment", template([container()]), metadata);
      return { ...manifest, spec: { ...(manifest.spec as Fields), replicas: 1 }, status: { replicas: 1 } };
    };
    for (const [what, metadata, expected] of [
      ["counted by it", { managedFields: [{ operation: "Update", subresource: "scale", fieldsV1 }] }, []],
      ["counted by nobody else", {}, []],
      ["declared", { managedFields: [{ operation: "Apply", manager: "x", fieldsV1 }] }, ["autoscaler-replicas"]],
      [
        "declared by kubectl",
        { annotations: { "kubectl.kubernetes.io/last-applied-configuration": '{"spec":{"replicas":2}}' } },
        ["autoscaler-replicas"],
      ],
      [
        "with an annotation that is broken",
        { annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{" } },
        [],
      ],
    ] as [string, Fields, string[]][]) {
      it(`do not take its count for somebody's: ${what}`, () => {
        const found = rulesIn(workload(metadata), scaler).map((each) => each.split(" ")[0]);
        assert.deepEqual(found, expected);
      });
    }
  });

  it("are named as they are, and not by what a tool says of the name", () => {
    const { manifest } = carry("Deployment", template([rooted()]), { annotations: { "pulumi.com/autonamed": "true" } });
    const [row] = check(
      asWritten([manifest]).map((each) => ({ ...each, index: 0, file: "stack dev" })),
      readSettings({}, "test", "check"),
    ).rows;
    assert.equal(row?.name, "web");
  });

  it("take from the whole cluster what gives their accounts rights, and not what comes with it", () => {
    const rbac = "rbac.authorization.k8s.io";
    const role = (name: string, labels = {}): Manifest => ({
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRole",
      metadata: { name, labels },
    });
    const binding = (kind: string, name: string, to: string, namespace: string): Manifest => ({
      apiVersion: `${rbac}/v1`,
      kind,
      metadata: { name, ...(kind === "RoleBinding" ? { namespace } : {}) },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: to },
      subjects: [{ kind: "ServiceAccount", name: "a", namespace }],
    });
    const inside = [binding("RoleBinding", "own", "shared", "dev-apps")];
    const found = ofThese(["dev-apps"], inside, [
      role("shared"),
      role("global"),
      role("unrelated"),
      binding("ClusterRoleBinding", "ours", "global", "dev-apps"),
      binding("ClusterRoleBinding", "theirs", "unrelated", "qa-apps"),
    ]);
    assert.deepEqual(
      found.map(({ metadata }) => (metadata as { name: string }).name),
      ["ours", "shared", "global"],
    );
    assert.deepEqual(asWritten([role("admin", { "kubernetes.io/bootstrapping": "rbac-defaults" })]), []);
  });
});
