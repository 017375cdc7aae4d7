import { bytes } from "../lib/quantities";

export const MODES = ["single", "replicated"] as const;
export type PostgresMode = (typeof MODES)[number];

/** In the lock. */
export const IMAGES: Readonly<Record<PostgresMode, string>> = { single: "postgres", replicated: "patroni" };

/** The user and group of the official image. */
export const USER = 999;

export const PORT = 5432;
export const EXPORTER_PORT = 9187;

/** For people: not superuser, and not over the network. */
export const ADMIN = "admin";
/** Whose passwords only the servers know, by mode. */
export const OWN_LOGINS: Readonly<Record<PostgresMode, readonly string[]>> = {
  single: [ADMIN],
  replicated: [ADMIN, "replicator", "rewinder"],
};

/** Roles and databases that are there anyway. */
export const RESERVED_NAMES: readonly string[] = [
  ...["admin", "applications", "exporter", "replicator", "rewinder"],
  ...["postgres", "template0", "template1", "public", "none"],
];

interface Range {
  readonly least: number;
  readonly most: number;
  readonly usual: number;
}

/** With fewer than two copies either the loss of one stops the writes, or some that were confirmed may be lost. */
export const REPLICAS: Readonly<Record<PostgresMode, Range>> = {
  single: { least: 0, most: 0, usual: 0 },
  replicated: { least: 2, most: 4, usual: 2 },
};

/** Patroni takes its part of it. */
export const LEAST_MEMORY: Readonly<Record<PostgresMode, string>> = { single: "256Mi", replicated: "384Mi" };

/** Connections that no application can take: those of the platform's own logins. */
export const RESERVED_CONNECTIONS = 15;

/** Where the pods have what the scripts use; a test has it elsewhere. */
export interface Places {
  readonly files: string;
  readonly certificates: string;
  readonly socket: string;
  readonly tmp: string;
  readonly data: string;
}

export const PLACES: Places = {
  files: "/etc/postgres",
  certificates: "/etc/postgres-tls",
  socket: "/run/postgresql",
  tmp: "/tmp",
  data: "/data/postgres",
};

export interface ServerSize {
  /** Memory limit of each server. */
  readonly memory: string;
  /** Size of each server's volume. */
  readonly storage: string;
  /** How many clients may be connected at once. */
  readonly connections: number;
}

/** The role and, where nothing else is said, the database of an application: its name without what would need quotes. */
export const roleOf = (app: string): string => app.replaceAll("-", "_");

const megabytes = (quantity: string, share: number): string =>
  `${Math.max(1, Math.floor(((bytes(quantity) ?? 0) * share) / 2 ** 20))}MB`;

const smaller = (limit: number, quantity: string, share: number): string =>
  `${Math.min(limit, Math.floor(((bytes(quantity) ?? 0) * share) / 2 ** 20))}MB`;

/** Of Postgres itself: what the size and the places decide, and what closes it. */
export function parameters(
  { memory, storage, connections }: ServerSize,
  places: Places = PLACES,
): Record<string, string> {
  return {
    listen_addresses: "*",
    port: String(PORT),
    unix_socket_directories: places.socket,
    unix_socket_permissions: "0770",
    hba_file: `${places.files}/pg_hba.conf`,
    ident_file: `${places.tmp}/pg_ident.conf`,
    password_encryption: "scram-sha-256",
    ssl: "on",
    ssl_cert_file: `${places.certificates}/tls.crt`,
    ssl_key_file: `${places.certificates}/tls.key`,
    ssl_min_protocol_version: "TLSv1.2",
    max_connections: String(connections),
    shared_buffers: megabytes(memory, 0.25),
    effective_cache_size: megabytes(memory, 0.6),
    maintenance_work_mem: megabytes(memory, 1 / 16),
    work_mem: "4MB",
    // The log of what was written shares the volume with the data, and must never fill it.
    min_wal_size: smaller(80, storage, 1 / 8),
    max_wal_size: smaller(1024, storage, 1 / 4),
    max_slot_wal_keep_size: megabytes(storage, 1 / 4),
    // Not in every image; and it pays for queries only that no application here makes.
    jit: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    log_line_prefix: "%m [%p] %u@%d ",
  };
}

const setting = ([key, value]: [string, string]): string => `${key} = '${value}'`;

export const postgresqlConf = (size: ServerSize, places?: Places): string =>
  `${Object.entries(parameters(size, places)).map(setting).join("\n")}\n`;

const BETWEEN_SERVERS = [
  "local   replication  replicator              peer map=pod",
  "hostssl replication  replicator all          scram-sha-256",
];

/**
 * Who gets in, and how: over the network by TLS and password only; the superuser, and the exporter, by the socket of the pod
 * only, where the kernel says who they are.
 */
export const pgHba = (mode: PostgresMode): string =>
  [
    "local   all          postgres                peer map=pod",
    "local   postgres     exporter                peer map=pod",
    ...(mode === "single" ? [] : BETWEEN_SERVERS),
    `hostssl all          ${ADMIN}     127.0.0.1/32 scram-sha-256`,
    `hostssl all          ${ADMIN}     ::1/128      scram-sha-256`,
    `hostssl all          ${ADMIN}     all          reject`,
    "hostssl all          postgres  all          reject",
    "hostssl all          all       all          scram-sha-256",
    "",
  ].join("\n");
