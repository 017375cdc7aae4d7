import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels } from "../lib/labels";
import { RECORDS } from "./patroni";

type PolicyRule = k8s.types.input.rbac.v1.PolicyRule;

const pods = (name: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${name}-${index}`);
const records = (name: string): string[] => RECORDS.map((record) => `${name}-${record}`);

/** What a server may do at the API server: see the pods of its namespace, mark its own kind, and keep the records. It makes nothing. */
export const rulesOf = (name: string, count: number): PolicyRule[] => [
  { apiGroups: [""], resources: ["pods", "configmaps"], verbs: ["list", "watch"] },
  { apiGroups: [""], resources: ["pods"], resourceNames: pods(name, count), verbs: ["get", "patch"] },
  { apiGroups: [""], resources: ["configmaps"], resourceNames: records(name), verbs: ["get", "patch"] },
];

export interface RightsArgs {
  readonly namespace: pulumi.Input<string>;
  /** Of servers. */
  readonly count: number;
}

/**
 * The account of the servers, and the records that they may keep, made here: a later Postgres of the same name must not find
 * what an earlier one wrote. Resolves to the account's name once all is there.
 */
export function createRights(
  child: (role: string) => string,
  { namespace, count }: RightsArgs,
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const { name } = identity;
  const metadata = { name, namespace, labels: labels(identity) };
  const account = new k8s.core.v1.ServiceAccount(
    child("account"),
    { metadata, automountServiceAccountToken: false },
    opts,
  );
  const role = new k8s.rbac.v1.Role(child("role"), { metadata, rules: rulesOf(name, count) }, opts);
  const binding = new k8s.rbac.v1.RoleBinding(
    child("binding"),
    {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
    opts,
  );
  const kept = records(name).map(
    (record) =>
      new k8s.core.v1.ConfigMap(
        child(record.slice(name.length + 1)),
        { metadata: { ...metadata, name: record } },
        opts,
      ),
  );
  return pulumi
    .all([account, binding, ...kept].map((each) => each.metadata.name))
    .apply(([accountName = name]) => accountName);
}
