import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { OPERATORS_NAMESPACE } from "../clusterServices/controller";
import { MONITORING_GROUP } from "../lib/cluster";

export const MONITORING_API = `${MONITORING_GROUP}/v1`;

/** The operator's word that the servers are ready. */
export const WAIT_FOR_AVAILABLE = { "pulumi.com/waitFor": "condition=Available" } as const;

/** What the operator writes into a namespace with monitoring. */
export const OPERATOR_RULES: k8s.types.input.rbac.v1.PolicyRule[] = [
  { apiGroups: ["apps"], resources: ["statefulsets"], verbs: ["create", "update", "patch", "delete"] },
  {
    apiGroups: [""],
    resources: ["configmaps", "secrets", "services"],
    verbs: ["get", "create", "update", "patch", "delete"],
  },
  { apiGroups: [""], resources: ["services/finalizers"], verbs: ["update"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["delete"] },
];

/** Lets the operator write into a namespace with monitoring; without it, it may only read. */
export function grantOperator(
  child: (role: string) => string,
  namespace: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const name = "prometheus-operator";
  const role = new k8s.rbac.v1.Role(
    child("operator-role"),
    { metadata: { name, namespace }, rules: OPERATOR_RULES },
    opts,
  );
  return new k8s.rbac.v1.RoleBinding(
    child("operator-binding"),
    {
      metadata: { name, namespace },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name, namespace: OPERATORS_NAMESPACE }],
    },
    opts,
  );
}
