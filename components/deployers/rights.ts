import type * as k8s from "@pulumi/kubernetes";
import { policyName, ROLES } from "../../policy/admission/names";
import { developerRules } from "../access/rules";
import { OPERATORS_NAMESPACE } from "../clusterServices/controller";
import { EDGE_RULES } from "../edge/rights";
import { API_SERVER_SLICE, MONITORING_GROUP } from "../lib/cluster";
import { CONCERNS } from "../lib/concerns";
import { deployerName } from "../lib/deployer";
import { NAMESPACE_ROLE } from "../lib/namespaceEntry";
import { OPERATOR_RULES } from "../monitoring/operator";
import { SHARED } from "../monitoring/shared";
import { DEPLOYER, KEEPER_RULES } from "../secretsPlatform/settings";

type Rule = k8s.types.input.rbac.v1.PolicyRule;

const RBAC = "rbac.authorization.k8s.io";
const ADMISSION = "admissionregistration.k8s.io";
const GATEWAY = "gateway.networking.k8s.io";

/** Pulumi waits for the end of what it deletes by listing and watching its kind. */
const READ = ["get", "list", "watch"];
/** It creates and changes by server-side apply, whose request has a name: a right to create can be for that name alone. */
const WRITE = ["create", "patch", "delete"];

const rule = (apiGroup: string, verbs: readonly string[], ...resources: string[]): Rule => ({
  apiGroups: [apiGroup],
  resources,
  verbs: [...verbs],
});

const named = (
  apiGroup: string,
  verbs: readonly string[],
  resources: readonly string[],
  names: readonly string[],
): Rule => ({ ...rule(apiGroup, verbs, ...resources), resourceNames: [...names] });

/** What a stack makes in its namespaces. */
export const MANAGED: readonly (readonly [apiGroup: string, ...resources: string[]])[] = [
  [
    "",
    "configmaps",
    "limitranges",
    "persistentvolumeclaims",
    "resourcequotas",
    "secrets",
    "serviceaccounts",
    "services",
  ],
  ["apps", "deployments", "statefulsets"],
  ["autoscaling", "horizontalpodautoscalers"],
  ["batch", "cronjobs", "jobs"],
  ["cert-manager.io", "certificates"],
  ["external-secrets.io", "externalsecrets", "secretstores"],
  [GATEWAY, "gateways", "httproutes"],
  [MONITORING_GROUP, "alertmanagers", "podmonitors", "probes", "prometheuses", "prometheusrules"],
  ["networking.k8s.io", "networkpolicies"],
  ["policy", "poddisruptionbudgets"],
  [RBAC, "rolebindings", "roles"],
];

/**
 * In a namespace of its own. Whoever makes a role has to have its rights: those of developers, of the edge and so on are
 * therefore the deployer's too, and there is no right to give more than one has.
 */
export const namespaceRules: readonly Rule[] = [
  ...MANAGED.map(([apiGroup, ...resources]) => rule(apiGroup, [...READ, ...WRITE], ...resources)),
  // As which it logs in to the environment's Vault.
  named("", ["create"], ["serviceaccounts/token"], [DEPLOYER]),
  ...developerRules(true),
  ...EDGE_RULES,
  ...OPERATOR_RULES,
  ...KEEPER_RULES,
];

export const namespacesOf = (stack: string): string[] => CONCERNS.map((concern) => `${stack}-${concern}`);

/** What a stack's edge is called in the cluster, and its Vault where it asks whether tokens are genuine. */
export const edgeName = (stack: string): string => `${stack}-edge`;
export const reviewerName = (stack: string): string => `${stack}-vault-token-review`;
/** What a stack may bind its Vault to. */
export const REVIEWER = "system:auth-delegator";

/** In the whole cluster: by name, but for what tells no secret. */
export const clusterRules = (stack: string): Rule[] => [
  rule("", READ, "namespaces"),
  named("", WRITE, ["namespaces"], namespacesOf(stack)),
  rule("", ["list"], "nodes"),
  named("discovery.k8s.io", ["get"], ["endpointslices"], [API_SERVER_SLICE]),
  named(RBAC, ["get", "create", "patch"], ["rolebindings"], [deployerName(stack)]),
  // Its edge's by name, as a preview binds it before it is there.
  named(RBAC, ["bind"], ["clusterroles"], [NAMESPACE_ROLE, REVIEWER, edgeName(stack)]),
  rule(RBAC, READ, "clusterrolebindings", "clusterroles"),
  named(RBAC, WRITE, ["clusterroles"], [edgeName(stack)]),
  named(RBAC, WRITE, ["clusterrolebindings"], [edgeName(stack), reviewerName(stack)]),
  rule(GATEWAY, READ, "gatewayclasses"),
  named(GATEWAY, WRITE, ["gatewayclasses"], [edgeName(stack)]),
  named(GATEWAY, ["update"], ["gatewayclasses/status"], [edgeName(stack)]),
  // Where its policies read the time: who binds to an object has to see it.
  rule("coordination.k8s.io", ["get"], "leases"),
  rule(ADMISSION, READ, "validatingadmissionpolicies", "validatingadmissionpolicybindings"),
  named(
    ADMISSION,
    WRITE,
    ["validatingadmissionpolicies", "validatingadmissionpolicybindings"],
    [
      ...["services", "templates"].map((fence) => `${stack}-developers-${fence}`),
      ...ROLES.map((role) => policyName(stack, role)),
    ],
  ),
];

/** The paths that a stack opens in the namespaces of what the cluster has once: those that bear its name. */
function pathsInto(stack: string, namespace: string): string[] {
  const watched = SHARED.filter(({ peer }) => peer.namespace === namespace);
  return [
    ...(namespace === OPERATORS_NAMESPACE ? [`vault-external-secrets-to-${stack}-egress`] : []),
    ...watched.map(({ peer }) => `monitoring-${stack}-prometheus-to-${peer.name}-ingress`),
  ];
}

export const sharedRules = (stack: string, namespace: string): Rule[] => [
  rule("networking.k8s.io", READ, "networkpolicies"),
  named("networking.k8s.io", WRITE, ["networkpolicies"], pathsInto(stack, namespace)),
];
