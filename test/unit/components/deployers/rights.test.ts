import assert from "node:assert/strict";
import { developerRules } from "../../../../components/access/rules";
import { MANAGED } from "../../../../components/deployers/rights";
import { claimOf } from "../../../../components/lib/namespaceEntry";
import { type Golden, readGolden } from "../../../program/golden";
import { type Recording, record } from "../recorder";
import { Scene, kindOf } from "../scene";
import { type Granting, type Question, Rights, type Rule, deployer, resourceOf } from "./rbac";

const VERBS = ["get", "list", "watch", "create", "patch", "delete"];
const STACKS = ["qa", "prod"] as const;

interface Made extends Granting {
  readonly type: string;
}

/** What a stack makes in the cluster, as the committed golden says. */
const madeBy = (stack: string): Made[] =>
  Object.entries((readGolden(stack) as Golden).resources).flatMap(([key, { inputs }]) => {
    const [type = ""] = key.split(" ");
    return type.startsWith("kubernetes:") ? [{ ...(inputs as Made), type, kind: type.split(":")[2] ?? "" }] : [];
  });

/** Names that Pulumi makes up are like any other. */
const named = ({ type, metadata }: Made, verb: string): Question => ({
  verb,
  ...resourceOf(type),
  namespace: metadata.namespace,
  // A list has no name.
  name: verb === "list" || verb === "watch" ? undefined : (metadata.name ?? "made-up"),
});

const described = ({ verb, group, resource, namespace = "the cluster", name = "" }: Question): string =>
  `${verb} ${resource}.${group} ${name} in ${namespace}`;

const granting = ({ resources }: Recording): Granting[] =>
  resources
    .filter((each) => /^(Cluster)?Role(Binding)?$/.test(kindOf(each)))
    .map((each) => ({ ...(each.inputs as unknown as Granting), kind: kindOf(each) }));

const namespacesOf = (stack: string): string[] =>
  madeBy(stack).flatMap(({ kind, metadata }) => (kind === "Namespace" ? [metadata.name] : []));

describe("the rights of a deployer", () => {
  let granted: Granting[];
  /** Once it has taken what is its own in the namespaces that it made. */
  let rights: Rights;
  before(async () => {
    granted = granting(await record(() => void new Scene().services("cluster", { deployers: [...STACKS] })));
    const claims = STACKS.flatMap((stack) => namespacesOf(stack).map((each) => claimOf(stack, each) as Granting));
    rights = new Rights([...granted, ...claims]);
  });

  /** What a deployer may not do of this. */
  const refused = (stack: string, questions: readonly Question[]): string[] =>
    questions.filter((each) => !rights.allow(deployer(stack), each)).map(described);

  for (const stack of STACKS) {
    it(`are enough for everything that ${stack} makes, changes, watches and removes`, () => {
      const questions = madeBy(stack).flatMap((each) => VERBS.map((verb) => named(each, verb)));
      assert.ok(questions.length > 500);
      assert.deepEqual(refused(stack, questions), []);
    });

    it(`are enough for the roles that ${stack} gives to others, without a right to give more`, () => {
      const roles = madeBy(stack).filter(({ kind }) => /Role$/.test(kind));
      assert.ok(roles.length > 5);
      const more = roles.flatMap(({ rules = [], metadata: { namespace } }) =>
        rights.beyond(deployer(stack), rules, namespace),
      );
      assert.deepEqual(more.map(described), []);
      assert.deepEqual(rights.beyond(deployer(stack), developerRules(true) as Rule[], `${stack}-apps`), []);
      const escalate = granted.flatMap(({ rules = [] }) => rules.filter(({ verbs }) => verbs.includes("escalate")));
      assert.deepEqual(escalate, []);
    });

    it(`are enough to bind what ${stack} binds in the cluster: what it has itself, and three roles by name`, () => {
      const bound = madeBy(stack).flatMap(({ kind, roleRef }) =>
        kind === "ClusterRoleBinding" && roleRef ? [roleRef] : [],
      );
      for (const { name } of bound) {
        const bind = { verb: "bind", group: "rbac.authorization.k8s.io", resource: "clusterroles", name };
        const own = madeBy(stack).find((each) => each.kind === "ClusterRole" && each.metadata.name === name);
        assert.ok(
          own ? rights.beyond(deployer(stack), own.rules ?? []).length === 0 : refused(stack, [bind]).length === 0,
          name,
        );
      }
      const binds = granted.flatMap(({ rules = [] }) => rules.filter(({ verbs }) => verbs.includes("bind")));
      assert.deepEqual(
        binds.map(({ resourceNames }) => resourceNames),
        STACKS.map((each) => ["platform-deployer", "system:auth-delegator", `${each}-edge`]),
      );
    });

    it(`are enough to look at the cluster before ${stack} is touched, and to log in to its Vault`, () => {
      const slices = {
        group: "discovery.k8s.io",
        resource: "endpointslices",
        namespace: "default",
        name: "kubernetes",
      };
      const account = { verb: "get", group: "", resource: "serviceaccounts", namespace: "platform-deployers" };
      const token = { verb: "create", group: "", resource: "serviceaccounts/token", name: "deployer" };
      assert.deepEqual(
        refused(stack, [
          { verb: "get", group: "", resource: "namespaces", name: "kube-system" },
          { verb: "list", group: "", resource: "nodes" },
          { verb: "get", ...slices },
          { ...account, name: `deployer-${stack}` },
          { ...token, namespace: `${stack}-secrets` },
        ]),
        [],
      );
    });

    it(`of ${stack} are nothing in another environment, nor over what the cluster has once`, () => {
      const other = stack === "qa" ? "prod" : "qa";
      const foreign = [other, "dev"].flatMap(madeBy);
      const kinds = foreign.filter(({ metadata }) => metadata.namespace);
      const writes = foreign.flatMap((each) =>
        ["create", "update", "patch", "delete"].map((verb) => named(each, verb)),
      );
      const reads = kinds.flatMap((each) => ["get", "list", "watch"].map((verb) => named(each, verb)));
      const own = new Set(madeBy(stack).map(({ type, metadata }) => `${type} ${metadata.namespace} ${metadata.name}`));
      const isOwn = ({ type, metadata }: Made): boolean => own.has(`${type} ${metadata.namespace} ${metadata.name}`);
      assert.ok(foreign.length > 300 && !foreign.some(isOwn));
      const allowed = [...writes, ...reads].filter((each) => rights.allow(deployer(stack), each));
      // In the namespaces that all share it sees which paths there are.
      const paths = ({ verb, resource, namespace = "" }: Question): boolean =>
        ["get", "list", "watch"].includes(verb) && resource === "networkpolicies" && namespace.startsWith("platform-");
      assert.deepEqual(allowed.filter((each) => !paths(each)).map(described), []);
    });
  }

  it("read no Secret before a namespace is theirs, and none elsewhere afterwards", () => {
    const secrets = { group: "", resource: "secrets" };
    const before = new Rights(granted);
    for (const namespace of ["qa-secrets", "dev-secrets", "prod-apps", "platform-operators", "kube-system", undefined])
      for (const verb of ["get", "list", "watch", "patch"]) {
        const question = { verb, ...secrets, namespace, name: "regcred" };
        assert.equal(before.allow(deployer("qa"), question), false, described(question));
        assert.equal(rights.allow(deployer("qa"), question), namespace === "qa-secrets", described(question));
      }
  });

  it("name what they may write in the cluster, and say nothing with a wildcard", () => {
    const rules = granted.flatMap(({ kind, rules: found = [], metadata: { name } }) =>
      kind === "ClusterRole" && name.startsWith("platform-deployer-") ? found : [],
    );
    assert.ok(rules.length > 10);
    for (const { verbs, resourceNames = [], resources } of rules)
      if (verbs.some((verb) => !["get", "list", "watch"].includes(verb)))
        assert.ok(resourceNames.length > 0, JSON.stringify([resources, verbs]));
    for (const { rules: found = [] } of granted.filter(({ metadata }) => /deployer/.test(metadata.name)))
      for (const { verbs, resources, apiGroups } of found)
        assert.ok(![verbs, resources, apiGroups].flat().includes("*"));
  });

  it("are for kinds that stacks make, and for no other", () => {
    const made = new Set(STACKS.flatMap(madeBy).map(({ type }) => Object.values(resourceOf(type)).join("/")));
    const managed = MANAGED.flatMap(([group, ...resources]) => resources.map((each) => `${group}/${each}`));
    // Of applications that scale themselves, which none of the committed ones does.
    assert.deepEqual(
      managed.filter((each) => !made.has(each)),
      ["autoscaling/horizontalpodautoscalers"],
    );
  });

  it("are nobody's who may only log in as one", () => {
    const minter = { user: "ci", groups: ["platform:qa-deployers"] };
    const token = { verb: "create", group: "", resource: "serviceaccounts/token", namespace: "platform-deployers" };
    assert.equal(rights.allow(minter, { ...token, name: "deployer-qa" }), true);
    assert.equal(rights.allow(minter, { ...token, name: "deployer-prod" }), false);
    assert.equal(rights.allow(minter, { ...token, name: undefined }), false);
    const rest = STACKS.flatMap(madeBy).flatMap((each) => VERBS.map((verb) => named(each, verb)));
    assert.deepEqual(rest.filter((each) => rights.allow(minter, each)).map(described), []);
    for (const stack of STACKS)
      assert.equal(rights.allow(deployer(stack), { ...token, name: `deployer-${stack}` }), false);
  });
});
