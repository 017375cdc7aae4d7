import type * as k8s from "@pulumi/kubernetes";

type PolicyRule = k8s.types.input.rbac.v1.PolicyRule;

const READ = ["get", "list", "watch"];
const EDIT = [...READ, "create", "update", "patch", "delete"];

const rule = (apiGroup: string, verbs: readonly string[], ...resources: string[]): PolicyRule => ({
  apiGroups: [apiGroup],
  resources,
  verbs: [...verbs],
});

/** No Secrets, no ServiceAccounts and their tokens, no roles, no NetworkPolicies to write, nothing that writes Secrets. */
const EVERYDAY = [
  rule("", EDIT, "pods", "services", "configmaps"),
  rule("", READ, "pods/log", "events", "persistentvolumeclaims", "resourcequotas", "limitranges"),
  rule("events.k8s.io", READ, "events"),
  rule("apps", EDIT, "deployments", "statefulsets", "daemonsets"),
  rule("apps", ["get", "update", "patch"], "deployments/scale", "statefulsets/scale"),
  rule("apps", READ, "replicasets"),
  rule("batch", EDIT, "jobs", "cronjobs"),
  rule("autoscaling", EDIT, "horizontalpodautoscalers"),
  rule("policy", EDIT, "poddisruptionbudgets"),
  rule("networking.k8s.io", READ, "networkpolicies"),
  rule("discovery.k8s.io", READ, "endpointslices"),
  rule("metrics.k8s.io", ["get", "list"], "pods"),
  // Names of paths and whether they are synced; the values are in the Secrets.
  rule("external-secrets.io", READ, "externalsecrets"),
];

/** A WebSocket is opened by `get`, what came before it by `create`. */
const INSIDE = rule("", ["get", "create"], "pods/exec", "pods/attach", "pods/portforward");

export const developerRules = (exec: boolean): PolicyRule[] => (exec ? [...EVERYDAY, INSIDE] : EVERYDAY);
