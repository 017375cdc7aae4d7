import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Kept, SecretsPlatform } from "../secretsPlatform";
import type { AppDatabase } from "./service";
import { ADMIN, type PostgresMode, OWN_LOGINS, roleOf } from "./settings";

/** The logins of a Postgres: for its own pods one Secret with a key for each, and each application's apart in Vault. */
export interface Logins {
  readonly secretName: pulumi.Output<string>;
  readonly applications: Readonly<Record<string, Kept>>;
}

interface Place {
  readonly name: string;
  readonly mode: PostgresMode;
  readonly namespace: pulumi.Input<string>;
  readonly databases: Readonly<Record<string, AppDatabase>>;
}

/** The keeper of the servers reads an application's role, database and limit in the name of the file with its password. */
const fileOf = (role: string, { database, connections }: AppDatabase): string => `${role}.${database}.${connections}`;

export function keptLogins(
  { name, mode, namespace, databases }: Place,
  secrets: SecretsPlatform,
  opts: pulumi.CustomResourceOptions,
): Logins {
  const password = (login: string): pulumi.Output<string> =>
    new random.RandomPassword(`${name}-${login}-password`, { length: 32, special: false }, opts).result;
  const keep = (path: string, logins: readonly string[]): Kept =>
    secrets.keep(`${name}/${path}`, Object.fromEntries(logins.map((login) => [login, password(login)])));

  const applications = Object.fromEntries(Object.keys(databases).map((app) => [app, keep(app, [roleOf(app)])]));
  const others = OWN_LOGINS[mode].filter((login) => login !== ADMIN);
  const own = [keep(ADMIN, [ADMIN]), ...(others.length > 0 ? [keep("servers", others)] : [])];
  const files = [
    ...OWN_LOGINS[mode].map((login) => [login, login] as const),
    ...Object.entries(databases).map(([app, database]) => [fileOf(roleOf(app), database), roleOf(app)] as const),
  ];
  const secretName = secrets.sync(`${name}-logins`, {
    namespace,
    secretName: `${name}-logins`,
    from: [...own, ...Object.values(applications)],
    template: Object.fromEntries(files.map(([file, property]) => [file, `{{ .${property} }}`])),
  });
  return { secretName, applications };
}
