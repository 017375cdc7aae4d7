import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels } from "../../lib/labels";
import type { SwitchNames } from "./settings";

type Rule = k8s.types.input.rbac.v1.PolicyRule;

const CHANGE = ["get", "patch"];
const rule = (apiGroup: string, resource: string, verbs: string[], ...names: string[]): Rule => ({
  apiGroups: [apiGroup],
  resources: [resource],
  verbs,
  ...(names.length > 0 ? { resourceNames: names } : {}),
});

/** The objects of one application by name, and a look at the pods beside it. */
const rulesOf = (app: string, colours: readonly string[], names: SwitchNames, isRouted: boolean): Rule[] => [
  rule("apps", "deployments", CHANGE, ...colours),
  rule("", "services", CHANGE, app),
  ...(isRouted ? [rule("gateway.networking.k8s.io", "httproutes", CHANGE, app)] : []),
  rule("", "configmaps", CHANGE, names.record),
  rule("batch", "jobs", CHANGE, names.job),
  rule("batch", "cronjobs", CHANGE, names.tidy),
  rule("", "pods", ["list"]),
];

export interface RightsArgs {
  readonly namespace: pulumi.Input<string>;
  readonly app: string;
  /** Names of its Deployments. */
  readonly colours: readonly string[];
  readonly names: SwitchNames;
  readonly isRouted: boolean;
}

/** Resolves to the account's name once it may do its work. */
export function createRights(
  child: (role: string) => string,
  { namespace, app, colours, names, isRouted }: RightsArgs,
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const metadata = { name: identity.name, namespace, labels: labels(identity) };
  const account = new k8s.core.v1.ServiceAccount(
    child("switch-account"),
    { metadata, automountServiceAccountToken: false },
    opts,
  );
  const rules = rulesOf(app, colours, names, isRouted);
  const role = new k8s.rbac.v1.Role(child("switch-role"), { metadata, rules }, opts);
  const binding = new k8s.rbac.v1.RoleBinding(
    child("switch-binding"),
    {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name: identity.name, namespace }],
    },
    opts,
  );
  return pulumi.all([account.metadata.name, binding.metadata.name]).apply(([name]) => name);
}
