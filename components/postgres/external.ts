import * as pulumi from "@pulumi/pulumi";
import { type Peer, toAddresses } from "../lib/network";
import type { SecretsPlatform } from "../secretsPlatform";
import { type AppDatabase, type PostgresService, databaseOf, environmentOf } from "./service";

export interface ExternalPostgresArgs {
  /** The name in its certificate. */
  readonly host: string;
  readonly port: number;
  /** Ranges in which the host's addresses are: only there, and to this port, may applications connect. */
  readonly addresses: readonly string[];
  /** PEM of who vouches for it. @default the authorities that everybody trusts */
  readonly ca?: string;
  readonly databases: Readonly<Record<string, AppDatabase>>;
  /** Keeps `username` and `password` of each application at `<name>/<application>`, where whoever runs the database puts them. */
  readonly secrets: SecretsPlatform;
}

/**
 * A Postgres that somebody else runs, with the same interface for applications as our own. It makes nothing there: roles,
 * databases, backups and alerts are theirs.
 *
 *     const postgres = new ExternalPostgres("postgres", { host: "db.example.com", port: 5432, addresses, databases, secrets });
 *     new AppWorkload("web", { postgres, … }, opts);
 */
export class ExternalPostgres implements PostgresService {
  readonly authority?: string;
  readonly ready: readonly pulumi.Resource[] = [];

  constructor(
    private readonly name: string,
    private readonly args: ExternalPostgresArgs,
  ) {
    this.authority = args.ca;
  }

  connect(from: Peer, opts: pulumi.CustomResourceOptions): void {
    toAddresses(from, this.name, this.args.addresses, this.args.port, opts);
  }

  clientSecret(client: string, namespace: pulumi.Input<string>): pulumi.Output<string> {
    const { host, port, ca, databases, secrets } = this.args;
    const { database } = databaseOf(databases, client);
    const login = { host, port, database, user: "{{ .username }}", password: "{{ .password }}" };
    const name = `${client}-${this.name}`;
    return secrets.sync(name, {
      namespace,
      secretName: name,
      from: { path: `${this.name}/${client}`, properties: ["username", "password"] },
      template: environmentOf({ ...login, ownAuthority: ca !== undefined }),
    });
  }
}
