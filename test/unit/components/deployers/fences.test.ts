import assert from "node:assert/strict";
import { fencesOf } from "../../../../components/deployers/fences";
import { claimOf } from "../../../../components/lib/namespaceEntry";
import { type Golden, readGolden } from "../../../program/golden";
import { refusals } from "../admission";

/** One of them begins like another. */
const STACKS = ["qa", "qa-eu", "prod"];
const fences = fencesOf(STACKS);
const PROFILE = "pod-security.kubernetes.io/enforce";

const said = (fence: string, object: object): string[] => {
  const spec = fences[fence];
  assert.ok(spec);
  return refusals(spec, { object });
};
const allows = (fence: string, object: object): void =>
  assert.deepEqual(said(fence, object), [], JSON.stringify(object));
const refuses = (fence: string, object: object, reason: RegExp): void => {
  const found = said(fence, object);
  assert.ok(found.length > 0, `let through: ${JSON.stringify(object)}`);
  for (const each of found) assert.match(each, reason);
};

const account = (name: string, namespace: string): object => ({ kind: "ServiceAccount", name, namespace });
const binding = (metadata: object, role: string, ...subjects: object[]): object => ({
  metadata,
  roleRef: { kind: "ClusterRole", name: role },
  subjects,
});

describe("the fences of the deployers", () => {
  it("let through what the environments make", () => {
    const kinds: Record<string, string> = {
      Namespace: "namespaces",
      RoleBinding: "claims",
      ClusterRoleBinding: "bindings",
      ClusterRole: "roles",
      Service: "services",
    };
    const judged = ["qa", "prod"].flatMap((stack) =>
      Object.entries((readGolden(stack) as Golden).resources).flatMap(([key, { inputs }]) => {
        const fence = kinds[key.split(" ")[0]?.split(":")[2] ?? ""];
        return fence ? [[fence, inputs as object] as const] : [];
      }),
    );
    assert.ok(judged.length > 30);
    for (const [fence, object] of judged) {
      allows(fence, object);
      if (fence === "bindings") allows("claims", object);
    }
  });

  it("let nothing go that cannot be judged", () => {
    for (const { failurePolicy } of Object.values(fences)) assert.equal(failurePolicy, "Fail");
  });
});

describe("a namespace of an environment with a deployer", () => {
  const namespace = (name: string, labels?: object): object => ({ metadata: { name, ...(labels ? { labels } : {}) } });
  const sound = { [PROFILE]: "restricted", "platform/environment": "qa" };

  it("takes restricted pods only, and says whose it is", () => {
    allows("namespaces", namespace("qa-apps", { ...sound, more: "labels" }));
    for (const labels of [
      { ...sound, [PROFILE]: "privileged" },
      { ...sound, [PROFILE]: "baseline" },
      { ...sound, [`${PROFILE}-version`]: "v1.18" },
      { "platform/environment": "qa" },
    ])
      refuses("namespaces", namespace("qa-apps", labels), /enforces the Pod Security profile restricted/);
    for (const environment of ["prod", "dev", "platform", "q", "qa-eu", ""])
      refuses(
        "namespaces",
        namespace("qa-apps", { ...sound, "platform/environment": environment }),
        /names this environ/,
      );
    refuses("namespaces", namespace("qa-eu-apps", sound), /names this environment/);
    refuses("namespaces", namespace("qa-apps"), /restricted|names this environment/);
  });

  it("is nobody else's", () => {
    for (const name of ["dev-apps", "kube-system", "qa", "qa-appsx", "my-qa-apps"])
      allows("namespaces", namespace(name, { [PROFILE]: "privileged" }));
    allows("namespaces", { metadata: { generateName: "qa-" } });
  });
});

describe("the rights of a deployer in a namespace", () => {
  const mine = account("deployer-qa", "platform-deployers");
  const bound = (namespace: string | undefined, ...subjects: object[]): object =>
    binding({ name: "deployer-qa", ...(namespace ? { namespace } : {}) }, "platform-deployer", ...subjects);

  it("are taken as the program takes them", () => {
    for (const namespace of ["qa-apps", "qa-secrets", "qa-monitoring"]) allows("claims", claimOf("qa", namespace));
    allows("claims", claimOf("qa-eu", "qa-eu-apps"));
  });

  it("are bound nowhere else, to nobody else, and never in the cluster, whoever does it", () => {
    const reason = /bound in the namespaces of an environment to the deployer of that environment, and nowhere else/;
    for (const namespace of ["dev-apps", "prod-apps", "qa-eu-apps", "platform-operators", "kube-system", "qa", "qa-"])
      refuses("claims", bound(namespace, mine), reason);
    refuses("claims", bound(undefined, mine), reason);
    for (const subject of [
      account("deployer-prod", "platform-deployers"),
      account("deployer-qa", "qa-apps"),
      account("qa", "platform-deployers"),
      { kind: "User", name: "deployer-qa", namespace: "platform-deployers" },
      { kind: "Group", name: "system:serviceaccounts" },
    ]) {
      refuses("claims", bound("qa-apps", subject), reason);
      refuses("claims", bound("qa-apps", mine, subject), reason);
    }
    const { subjects, ...nobody } = bound("qa-apps") as { subjects: object[] };
    assert.deepEqual(subjects, []);
    refuses("claims", nobody, reason);
  });

  it("are not mistaken for another role's", () => {
    allows("claims", binding({ name: "edge" }, "dev-edge", account("edge", "dev-edge")));
    const role = {
      metadata: { name: "x", namespace: "dev-apps" },
      roleRef: { kind: "Role", name: "platform-deployer" },
    };
    allows("claims", role);
  });
});

describe("what an environment with a deployer binds in the cluster", () => {
  it("is its edge's own role, and the review of tokens, each to accounts of one namespace", () => {
    allows("bindings", binding({ name: "qa-edge" }, "qa-edge", account("edge", "qa-edge")));
    allows(
      "bindings",
      binding({ name: "qa-vault-token-review" }, "system:auth-delegator", account("vault", "qa-secrets")),
    );
    for (const role of ["platform-deployer", "cluster-admin", "prod-edge", "system:auth-delegator"])
      refuses(
        "bindings",
        binding({ name: "qa-edge" }, role, account("edge", "qa-edge")),
        /^qa-edge binds the ClusterRole/,
      );
    for (const role of ["qa-edge", "platform-deployer", "platform-deployer-qa"])
      refuses(
        "bindings",
        binding({ name: "qa-vault-token-review" }, role, account("vault", "qa-secrets")),
        /^qa-vault-token-review binds system:auth-delegator/,
      );
    for (const subject of [account("edge", "qa-apps"), account("edge", "prod-edge"), { kind: "Group", name: "all" }])
      refuses("bindings", binding({ name: "qa-edge" }, "qa-edge", subject), /accounts in qa-edge/);
    refuses(
      "bindings",
      binding({ name: "qa-vault-token-review" }, "system:auth-delegator", { kind: "User", name: "u" }),
      /qa-secrets/,
    );
  });

  it("is nobody else's", () => {
    allows("bindings", binding({ name: "cluster-admins" }, "cluster-admin", { kind: "Group", name: "admins" }));
    allows("bindings", { metadata: { generateName: "qa-" }, roleRef: { kind: "ClusterRole", name: "any" } });
  });

  it("gives its edge a look at names, and its own class", () => {
    const role = (...rules: object[]): object => ({ metadata: { name: "qa-edge" }, rules });
    const reading = { apiGroups: [""], resources: ["namespaces"], verbs: ["list", "watch"] };
    allows("roles", role(reading));
    allows("roles", { metadata: { name: "qa-edge" } });
    for (const rule of [
      { ...reading, verbs: ["list", "create"] },
      { ...reading, resources: ["namespaces", "secrets"] },
      { apiGroups: ["rbac.authorization.k8s.io"], resources: ["rolebindings"], verbs: ["create"] },
      { apiGroups: [""], resources: ["namespaces/status"], verbs: ["update"] },
      { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
      { nonResourceURLs: ["*"], verbs: ["get"] },
    ])
      refuses("roles", role(reading, rule), /nothing else in the cluster/);
    refuses("roles", { metadata: { name: "qa-edge" }, aggregationRule: {} }, /nothing else in the cluster/);
    allows("roles", { metadata: { name: "admin" }, rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] });
  });
});

describe("a Service of an environment with a deployer", () => {
  it("has no addresses of its own", () => {
    allows("services", { spec: { type: "LoadBalancer", loadBalancerIP: "192.0.2.1" } });
    refuses("services", { spec: { externalIPs: ["192.0.2.9"] } }, /externalIPs/);
  });
});
