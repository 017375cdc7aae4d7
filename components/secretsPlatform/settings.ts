import { createHash } from "node:crypto";

/** How Vault's own key is protected. */
export interface Seal {
  /** `cluster`: by a key in a Secret of Vault's namespace; the others: by a service that Vault asks when it starts. */
  readonly type: "cluster" | "transit" | "awskms" | "gcpckms" | "azurekeyvault";
  /** The stanza of Vault's configuration: nothing secret. @example { region: "eu-central-1", kms_key_id: "alias/vault" } */
  readonly settings?: Readonly<Record<string, string>>;
  /** A Secret in Vault's namespace whose keys become the server's environment, where the service asks for a credential. */
  readonly credentials?: string;
}

export const VAULT_PORT = 8200;
export const RAFT_PORT = 8201;
export const KEEPER_PORT = 8300;
/** The Service that names each server on its own. */
export const SERVERS = "vault-internal";
export const KV = "kv";
export const LOGIN = "kubernetes";
/** The ServiceAccount as which Pulumi logs in, and its role. */
export const DEPLOYER = "deployer";
/** Tokens for Vault are no good at the API server, and the other way round. */
export const AUDIENCE = "vault";

/** What the keeper may do with the seal's key. */
export const KEEPER_RULES = [
  { apiGroups: [""], resources: ["secrets"], resourceNames: ["vault-seal"], verbs: ["get", "update"] },
  // A name cannot be asked for before it exists.
  { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
];

export const serverHost = (ordinal: number, namespace: string): string =>
  `vault-${ordinal}.${SERVERS}.${namespace}.svc.cluster.local`;

export const serviceHost = (namespace: string): string => `vault.${namespace}.svc.cluster.local`;

export const certificateNames = (namespace: string): string[] => [
  "localhost",
  "vault",
  `vault.${namespace}.svc`,
  serviceHost(namespace),
  `*.${SERVERS}.${namespace}.svc.cluster.local`,
];

export function serverConfig(namespace: string, replicas: number, seal: Seal): string {
  const joins = Array.from({ length: replicas }, (_, ordinal) => {
    const host = serverHost(ordinal, namespace);
    return `  retry_join {
    leader_api_addr = "https://${host}:${VAULT_PORT}"
    leader_tls_servername = "${host}"
    leader_ca_cert_file = "/vault/tls/ca.crt"
  }`;
  });
  const sealing =
    seal.type === "cluster"
      ? []
      : [
          `seal "${seal.type}" {
${Object.entries(seal.settings ?? {})
  .map(([key, value]) => `  ${key} = ${JSON.stringify(value)}`)
  .join("\n")}
}`,
        ];
  // With 1 a leader that is starved for half a second steps down, and a busy node has none; with 3 a lost one is replaced
  // within about ten seconds.
  return `ui = false
disable_mlock = true
storage "raft" {
  path = "/vault/data"
  performance_multiplier = 3
${joins.join("\n")}
}
listener "tcp" {
  address = "0.0.0.0:${VAULT_PORT}"
  cluster_address = "0.0.0.0:${RAFT_PORT}"
  tls_cert_file = "/vault/tls/tls.crt"
  tls_key_file = "/vault/tls/tls.key"
  telemetry {
    unauthenticated_metrics_access = true
  }
}
telemetry {
  prometheus_retention_time = "1h"
  disable_hostname = true
}
${sealing.join("\n")}
`;
}

const rule = (path: string, capabilities: readonly string[]): string =>
  `path "${path}" { capabilities = ${JSON.stringify(capabilities)} }`;

const OWN = ["create", "read", "update", "delete", "list"];

/** What the deployer needs to own mounts, policies, roles and secrets: not the seal, not the audit log, no other login. */
const DEPLOYER_POLICY = [
  rule("sys/mounts", ["read", "list"]),
  rule(`sys/mounts/${KV}`, [...OWN, "sudo"]),
  rule(`sys/mounts/${KV}/tune`, ["read", "update"]),
  rule("sys/policies/acl", ["list"]),
  rule("sys/policies/acl/*", OWN),
  rule(`auth/${LOGIN}/role`, ["list"]),
  rule(`auth/${LOGIN}/role/*`, OWN),
  rule(`${KV}/*`, OWN),
  // Not its own rights, and not those of everybody.
  rule(`sys/policies/acl/${DEPLOYER}`, ["read"]),
  rule("sys/policies/acl/default", ["read"]),
  rule(`auth/${LOGIN}/role/${DEPLOYER}`, ["read"]),
].join("\n");

/** What the keeper writes with a root token before it revokes it, by path. */
function preparations(namespace: string, replicas: number): Record<string, object> {
  return {
    [`auth/${LOGIN}/config`]: { kubernetes_host: "https://kubernetes.default.svc.cluster.local" },
    [`sys/policies/acl/${DEPLOYER}`]: { policy: DEPLOYER_POLICY },
    [`auth/${LOGIN}/role/${DEPLOYER}`]: {
      bound_service_account_names: [DEPLOYER],
      bound_service_account_namespaces: [namespace],
      audience: AUDIENCE,
      token_policies: [DEPLOYER],
      token_ttl: "20m",
      token_max_ttl: "1h",
    },
    "sys/storage/raft/autopilot/configuration": {
      cleanup_dead_servers: replicas >= 3,
      ...(replicas >= 3 ? { min_quorum: 3, dead_server_last_contact_threshold: "24h" } : {}),
    },
  };
}

export function keeperSettings(
  namespace: string,
  replicas: number,
  seal: Seal,
  labels: Record<string, string>,
): string {
  const writes = preparations(namespace, replicas);
  return JSON.stringify(
    {
      namespace,
      sealSecret: "vault-seal",
      autoUnseal: seal.type !== "cluster",
      labels,
      login: LOGIN,
      writes,
      version: createHash("sha256").update(JSON.stringify(writes)).digest("hex").slice(0, 16),
      places: {
        data: "/vault/data",
        tls: "/vault/tls",
        account: "/var/run/secrets/kubernetes.io/serviceaccount",
        kubernetes: "https://kubernetes.default.svc.cluster.local",
        vault: `https://127.0.0.1:${VAULT_PORT}`,
        listen: KEEPER_PORT,
      },
    },
    null,
    2,
  );
}

/** A reader's policy: these paths of the key-value store, and nothing else. */
export const readerPolicy = (paths: readonly string[]): string =>
  paths.map((path) => rule(`${KV}/data/${path}`, ["read"])).join("\n");
