import type { Exemption } from "./exemption";

const owner = "platform";
const until = "2027-09-30";

/** What may break a rule, why, on whose word and until when. */
export const EXEMPTIONS: readonly Exemption[] = [
  {
    rule: "host-path",
    target: { kind: "DaemonSet", namespace: "platform-nodes", name: "node-exporter" },
    reason: "it tells how the node itself does, and reads /proc for that, without its network or its processes",
    owner,
    until,
  },
  {
    rule: "namespace-labels",
    target: { kind: "Namespace", name: "platform-nodes" },
    reason: "the node exporter's path of the node passes no stricter level; nothing else is in this namespace",
    owner,
    until,
  },
  {
    rule: "probes",
    target: { kind: "StatefulSet", namespace: "*-data", name: "redis", container: "exporter" },
    reason: "it has no readiness probe, because Redis serves as well without its metrics",
    owner,
    until,
  },
  {
    rule: "probes",
    target: { kind: "StatefulSet", namespace: "*-data", name: "redis", container: "keeper" },
    reason: "a loop that serves nobody: it tries again by itself, and ends with an error when it cannot",
    owner,
    until,
  },
  {
    rule: "probes",
    target: { kind: "StatefulSet", namespace: "*-secrets", name: "vault", container: "keeper" },
    reason:
      "it has no liveness probe: a restart in the middle of an initialisation is worse than a keeper that is late",
    owner,
    until,
  },
  {
    rule: "rbac-secrets",
    target: { kind: "ClusterRole", name: "platform-cert-manager" },
    reason: "it writes certificates into the Secrets of any namespace that asks for one",
    owner,
    until,
  },
  {
    rule: "rbac-secrets",
    target: { kind: "ClusterRole", name: "platform-external-secrets" },
    reason: "it keeps the Secrets of any namespace in step with Vault",
    owner,
    until,
  },
  {
    rule: "rbac-escalation",
    target: { kind: "ClusterRole", name: "platform-external-secrets" },
    reason:
      "it logs in to Vault as the account that each SecretStore names, with a token of that account for Vault alone",
    owner,
    until,
  },
  {
    rule: "rbac-secrets",
    target: { kind: "ClusterRole", name: "platform-prometheus-operator" },
    reason: "it keeps the configuration of each Prometheus in Secrets that it names itself",
    owner,
    until,
  },
  {
    rule: "rbac-secrets",
    target: { kind: "Role", namespace: "*-monitoring", name: "prometheus-operator" },
    reason: "it reads the Secrets that the monitors of this one namespace name, which change with them",
    owner,
    until,
  },
  {
    rule: "rbac-secrets",
    target: { kind: "Role", namespace: "*", name: "edge" },
    reason:
      "Traefik lists the certificates of the namespaces that it serves, and can do so only for all Secrets of each",
    owner,
    until,
  },
  {
    rule: "rbac-pods",
    target: { kind: "Role", namespace: "*-apps", name: "developers" },
    reason: "developers look into their own pods; admission policies keep Secrets and accounts out of what they start",
    owner,
    until,
  },
  {
    rule: "probes",
    target: { kind: "StatefulSet", namespace: "*-data", name: "postgres", container: "keeper" },
    reason: "it has no liveness probe: a loop that tries again by itself, while the server serves without it",
    owner,
    until,
  },
  {
    rule: "probes",
    target: { kind: "StatefulSet", namespace: "*-data", name: "postgres", container: "exporter" },
    reason: "it has no readiness probe, because Postgres serves as well without its metrics",
    owner,
    until,
  },
  {
    rule: "rbac-secrets",
    target: { kind: "ClusterRole", name: "platform-deployer" },
    reason: "whoever deploys an environment writes its Secrets, in namespaces that an admission policy keeps it to",
    owner,
    until,
  },
  {
    rule: "rbac-pods",
    target: { kind: "ClusterRole", name: "platform-deployer" },
    reason: "it makes the developers' role and so must hold what that role gives, in its own environment",
    owner,
    until,
  },
];
