import assert from "node:assert/strict";
import { type Recording, type Registered, record } from "../recorder";
import { Scene, field, kindOf, names, one } from "../scene";

const made = (change: Parameters<Scene["services"]>[1]): Promise<Recording> =>
  record(() => void new Scene().services("cluster", change));

describe("Deployers", () => {
  let recording: Recording;
  before(async () => {
    recording = await made({ deployers: ["qa", "prod"] });
  });

  it("are part of what the cluster has once, and are not made where nobody is named", async () => {
    const byUrn = new Map(recording.resources.map((each) => [each.urn, each]));
    const isOwned = ({ type, parent }: Registered): boolean => {
      const above = byUrn.get(parent);
      return type === "platform:index:ClusterServices" || (above !== undefined && isOwned(above));
    };
    const all = recording.resources.filter(({ name }) => name.startsWith("cluster-deployers"));
    assert.ok(all.length > 30 && all.every(isOwned));
    for (const deployers of [undefined, []]) assert.doesNotMatch(JSON.stringify(await made({ deployers })), /deployer/);
  });

  it("live where no pod may", () => {
    const hard = field(
      one(recording, "ResourceQuota", "cluster-deployers-home-deployers-quota"),
      "spec.hard",
    ) as object;
    assert.deepEqual(hard, { "requests.cpu": "0", "requests.memory": "0", pods: "0", "services.nodeports": "0" });
    for (const stack of ["qa", "prod"]) {
      const account = one(recording, "ServiceAccount", `cluster-deployers-${stack}-account`);
      assert.equal(field(account, "metadata.namespace"), "platform-deployers");
      assert.equal(field(account, "automountServiceAccountToken"), false);
    }
  });

  it("are given their rights only once the fences stand, which refuse", () => {
    const fences = recording.resources.filter(({ name }) => name.startsWith("cluster-deployers-fence-"));
    assert.equal(fences.length, 10);
    const given = [
      one(recording, "ClusterRole", "cluster-deployers-namespace-role"),
      ...["qa", "prod"].map((stack) => one(recording, "ClusterRoleBinding", `cluster-deployers-${stack}-binding`)),
    ];
    for (const { name, dependencies } of given)
      for (const { urn } of fences) assert.ok(dependencies.includes(urn), `${name} does not wait for ${urn}`);
    for (const fence of fences.filter((each) => kindOf(each) === "ValidatingAdmissionPolicyBinding")) {
      assert.deepEqual(field(fence, "spec.validationActions"), ["Deny"]);
      const where = field(fence, "spec.matchResources.namespaceSelector.matchExpressions");
      const environments = [{ key: "platform/environment", operator: "In", values: ["qa", "prod"] }];
      assert.deepEqual(where, fence.name.includes("services") ? environments : undefined, fence.name);
    }
  });

  it("open their paths in the shared namespaces that there are", async () => {
    const roles = (found: Recording): string[] =>
      names(found, "Role")
        .filter((name) => /^cluster-deployers-qa-(operators|nodes)/.test(name))
        .sort();
    assert.deepEqual(roles(recording), ["cluster-deployers-qa-nodes-role", "cluster-deployers-qa-operators-role"]);
    const without = await made({ deployers: ["qa"], monitoring: undefined });
    assert.deepEqual(roles(without), ["cluster-deployers-qa-operators-role"]);
  });
});
