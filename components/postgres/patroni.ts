import { PLACES, PORT, type Places, type ServerSize, parameters } from "./settings";

/** Where each Patroni tells the others, and the kubelet, how it is. */
export const PATRONI_PORT = 8008;
/** On a pod, by Patroni: what its server is to the others. */
export const ROLE_LABEL = "role";
export const PRIMARY = "master";

/** In which the servers write down who takes the writes, and who may succeed. */
export const RECORDS = ["config", "leader", "sync", "failover"] as const;

export interface PatroniArgs extends ServerSize {
  readonly name: string;
  readonly namespace: string;
  /** Of the pods and the records; the name is among them by itself. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What only a start can change, and only for all servers together. */
const together = ({ connections }: ServerSize): Record<string, string | number> => ({
  max_connections: connections,
  max_wal_senders: 10,
  max_replication_slots: 10,
  wal_level: "replica",
  wal_log_hints: "on",
});

/**
 * What the servers agree on. A server that loses the API server or a majority's sight of it stops within `ttl`; a copy takes over
 * then. No write is confirmed that one server alone has, and none but that copy may succeed.
 */
export const dynamicConfig = (size: ServerSize): object => ({
  ttl: 20,
  loop_wait: 5,
  retry_timeout: 5,
  maximum_lag_on_failover: 2 ** 20,
  // A server that does not come up again by then is succeeded.
  master_start_timeout: 30,
  synchronous_mode: true,
  synchronous_mode_strict: true,
  // Without the API server the one that takes the writes goes on, as long as it reaches all others.
  failsafe_mode: true,
  postgresql: { use_pg_rewind: true, use_slots: true, parameters: together(size) },
});

/** For the one that may make the first data. */
export const bootstrapConfig = (size: ServerSize): object => ({
  bootstrap: {
    dcs: dynamicConfig(size),
    initdb: [{ encoding: "UTF8" }, { locale: "C.UTF-8" }, "data-checksums", { auth: "reject" }],
  },
});

/** Who a pod is, and where others find it, comes from its environment. */
export function patroniConfig({ name, namespace, labels, ...size }: PatroniArgs, places: Places = PLACES): object {
  const own = parameters(size, places);
  const byPatroni = ["listen_addresses", "port", ...Object.keys(together(size))];
  const [cert, key, ca] = ["tls.crt", "tls.key", "ca.crt"].map((file) => `${places.certificates}/${file}`);
  const verified = { sslmode: "verify-full", sslrootcert: ca };
  return {
    scope: name,
    kubernetes: {
      namespace,
      labels,
      scope_label: "app.kubernetes.io/name",
      role_label: ROLE_LABEL,
      use_endpoints: false,
    },
    // Whoever asks for a change shows a certificate of the platform's; the others may look.
    restapi: { listen: `0.0.0.0:${PATRONI_PORT}`, certfile: cert, keyfile: key, cafile: ca, verify_client: "optional" },
    postgresql: {
      listen: `0.0.0.0:${PORT}`,
      data_dir: places.data,
      pgpass: `${places.tmp}/pgpass`,
      // A copy that begins waits for it.
      basebackup: { checkpoint: "fast" },
      use_unix_socket: true,
      use_unix_socket_repl: true,
      authentication: {
        superuser: { username: "postgres" },
        replication: { username: "replicator", ...verified },
        rewind: { username: "rewinder", ...verified },
      },
      parameters: Object.fromEntries(Object.entries(own).filter(([key]) => !byPatroni.includes(key))),
    },
  };
}
