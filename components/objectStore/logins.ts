import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Kept, SecretsPlatform } from "../secretsPlatform";
import { ADMINISTRATOR, type StoreUser } from "./settings";

/** The passwords of a store: the administrator's for its servers, all of them for its keeper, each user's apart in Vault. */
export interface Logins {
  readonly servers: pulumi.Output<string>;
  readonly keeper: pulumi.Output<string>;
  readonly users: Readonly<Record<string, Kept>>;
}

/** In Vault and in templates a name is without what would be an operator there. */
export const propertyOf = (user: string): string => user.replaceAll("-", "_");

export function keptLogins(
  { name, namespace, users }: { name: string; namespace: pulumi.Input<string>; users: readonly StoreUser[] },
  secrets: SecretsPlatform,
  opts: pulumi.CustomResourceOptions,
): Logins {
  const keep = (user: string): Kept => {
    const { result } = new random.RandomPassword(`${name}-${user}-password`, { length: 40, special: false }, opts);
    return secrets.keep(`${name}/${user}`, { [propertyOf(user)]: result });
  };
  const administrator = keep(ADMINISTRATOR);
  const kept = Object.fromEntries(users.map((user) => [user.name, keep(user.name)]));
  const sync = (role: string, from: readonly Kept[], of: readonly string[]): pulumi.Output<string> =>
    secrets.sync(`${name}-${role}`, {
      namespace,
      secretName: `${name}-${role}`,
      from,
      template: Object.fromEntries(of.map((user) => [user, `{{ .${propertyOf(user)} }}`])),
    });
  return {
    servers: sync("administrator", [administrator], [ADMINISTRATOR]),
    keeper: sync("logins", [administrator, ...Object.values(kept)], [ADMINISTRATOR, ...Object.keys(kept)]),
    users: kept,
  };
}
