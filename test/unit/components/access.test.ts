import assert from "node:assert/strict";
import { developerRules } from "../../../components/access/rules";
import { waysIn } from "../../../components/access/ways";
import { type Recording, record } from "./recorder";
import { Scene, field, one } from "./scene";

const resourcesOf = (exec: boolean): string[] =>
  developerRules(exec).flatMap(({ resources = [] }) => resources as string[]);

describe("access of developers", () => {
  let recording: Recording;
  before(async () => {
    recording = await record(() => void new Scene().access());
  });

  it("is a role in the applications' namespace, and nothing in the cluster", () => {
    assert.equal(field(one(recording, "Role"), "metadata.namespace"), "dev-apps");
    const binding = one(recording, "RoleBinding");
    assert.equal(field(binding, "metadata.namespace"), "dev-apps");
    assert.deepEqual(field(binding, "subjects"), [
      { apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "platform:dev-developers" },
    ]);
    assert.ok(!recording.resources.some(({ type }) => /:ClusterRole/.test(type)));
  });

  it("grants nothing with a wildcard, no Secret, no identity, no role and no network policy to write", () => {
    for (const exec of [false, true])
      for (const { resources, verbs, apiGroups } of developerRules(exec)) {
        assert.ok(![resources, verbs, apiGroups].flat().includes("*"));
        for (const each of resources as string[]) {
          assert.doesNotMatch(each, /^secrets|serviceaccounts|roles|rolebindings|ephemeral|proxy/);
          if (["networkpolicies", "externalsecrets", "replicasets"].includes(each))
            assert.deepEqual(verbs, ["get", "list", "watch"]);
        }
      }
  });

  it("leads into running pods only where it is let", () => {
    assert.ok(!resourcesOf(false).some((each) => /exec|attach|portforward/.test(each)));
    assert.deepEqual(
      resourcesOf(true).filter((each) => !resourcesOf(false).includes(each)),
      ["pods/exec", "pods/attach", "pods/portforward"],
    );
  });

  it("is given only once the fences stand, which hold in that namespace and refuse", () => {
    const binding = one(recording, "RoleBinding");
    for (const role of ["templates", "services"]) {
      const policy = one(recording, "ValidatingAdmissionPolicy", `access-${role}`);
      const bound = one(recording, "ValidatingAdmissionPolicyBinding", `access-${role}-binding`);
      assert.equal(field(policy, "spec.failurePolicy"), "Fail");
      assert.equal(field(bound, "spec.policyName"), field(policy, "metadata.name"));
      assert.deepEqual(field(bound, "spec.validationActions"), ["Deny"]);
      assert.deepEqual(field(bound, "spec.matchResources.namespaceSelector.matchLabels"), {
        "kubernetes.io/metadata.name": "dev-apps",
      });
      for (const fence of [policy, bound]) assert.ok(binding.dependencies.includes(fence.urn), fence.name);
    }
  });

  it("is told in commands that hold no secret", () => {
    const ways = waysIn({ environment: "dev", vault: "https://192.0.2.4:8200", developers: ["a", "b"] });
    assert.deepEqual(Object.keys(ways), ["developers", "vault", "registry", "verify"]);
    assert.match(ways.developers ?? "", /-n dev-apps .* a or b$/);
    const shown = waysIn({ environment: "dev", vault: "", developers: [], dashboards: "https://grafana.dev.example" });
    assert.match(
      shown.dashboards ?? "",
      /^kubectl get secret grafana -n dev-dashboards .* https:\/\/grafana\.dev\.example$/,
    );
  });
});
