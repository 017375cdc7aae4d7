import type * as pulumi from "@pulumi/pulumi";
import type { Peer } from "../lib/network";

/** What an application asks of Postgres: a role and a database of its own. */
export interface AppDatabase {
  readonly database: string;
  /** At once, of all its replicas together. */
  readonly connections: number;
}

/** Postgres as applications meet it, wherever its servers are. */
export interface PostgresService {
  /** Opens the way there for the pods of an application: its port, and nothing else. */
  connect(from: Peer, opts: pulumi.CustomResourceOptions): void;
  /** The Secret with which an application logs in, as its environment: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE, PGSSLROOTCERT. */
  clientSecret(client: string, namespace: pulumi.Input<string>): pulumi.Output<string>;
  /** PEM of who vouches for the servers, for AUTHORITY; nothing where the application's image knows them anyway. */
  readonly authority?: pulumi.Input<string>;
  /** What has to be there before an application starts. */
  readonly ready: readonly pulumi.Resource[];
}

/** Where an application has the certificate that it trusts: clients of Postgres want a file. */
export const AUTHORITY = { directory: "/etc/postgres", file: "ca.crt" } as const;

/** Where the images of applications have the authorities that everybody trusts. */
const PUBLIC_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

export interface Login {
  readonly host: pulumi.Input<string>;
  readonly port: number;
  readonly database: string;
  /** Templates over what Vault keeps. */
  readonly user: string;
  readonly password: string;
  readonly ownAuthority: boolean;
}

/** What every client of libpq understands, and most others. */
export const environmentOf = (login: Login): Record<string, pulumi.Input<string>> => ({
  PGHOST: login.host,
  PGPORT: String(login.port),
  PGDATABASE: login.database,
  PGUSER: login.user,
  PGPASSWORD: login.password,
  PGSSLMODE: "verify-full",
  PGSSLROOTCERT: login.ownAuthority ? `${AUTHORITY.directory}/${AUTHORITY.file}` : PUBLIC_AUTHORITIES,
});

export function databaseOf(databases: Readonly<Record<string, AppDatabase>>, client: string): AppDatabase {
  const found = databases[client];
  if (!found) throw new Error(`"${client}" has no database here: ${Object.keys(databases).join(", ") || "nobody"} has`);
  return found;
}
