import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { SecretsPlatform } from "../secretsPlatform";
import { APP, type RedisMode, usersOf } from "./settings";

/** The passwords of a Redis: for its own pods one Secret with a key for each user, for a client a Secret with what it needs. */
export interface Logins {
  readonly secretName: pulumi.Output<string>;
  /** The clients' password as it was first generated. */
  readonly first: pulumi.Output<string>;
  clientSecret(client: string, namespace: pulumi.Input<string>, settings: Settings): pulumi.Output<string>;
}

export type Settings = Readonly<Record<string, pulumi.Input<string>>>;

interface Place {
  readonly name: string;
  readonly mode: RedisMode;
  readonly namespace: pulumi.Input<string>;
}

function generate({ name, mode }: Place, opts: pulumi.CustomResourceOptions): Record<string, pulumi.Output<string>> {
  const password = (user: string): pulumi.Output<string> =>
    new random.RandomPassword(
      `${name}-${user === APP ? "password" : `${user}-password`}`,
      { length: 32, special: false },
      opts,
    ).result;
  return Object.fromEntries(usersOf(mode).map((user) => [user, password(user)]));
}

/** Kept in Vault: what clients read lies apart from what only the servers know. */
export function keptLogins(place: Place, secrets: SecretsPlatform, opts: pulumi.CustomResourceOptions): Logins {
  const { [APP]: app, ...others } = generate(place, opts);
  const first = app as pulumi.Output<string>;
  const client = secrets.keep(`${place.name}/${APP}`, { [APP]: first });
  const servers = secrets.keep(`${place.name}/servers`, others);
  return {
    first,
    secretName: secrets.sync(`${place.name}-passwords`, {
      namespace: place.namespace,
      secretName: `${place.name}-passwords`,
      from: [client, servers],
    }),
    clientSecret: (name, namespace, settings) =>
      secrets.sync(`${name}-${place.name}`, {
        namespace,
        secretName: `${name}-${place.name}`,
        from: client,
        template: { ...settings, REDIS_PASSWORD: `{{ .${APP} }}` },
      }),
  };
}

/** Kept in the state and in Secrets, for a Redis that stands alone. */
export function ownLogins(place: Place, opts: pulumi.CustomResourceOptions): Logins {
  const passwords = generate(place, opts);
  const first = passwords[APP] as pulumi.Output<string>;
  const secret = (role: string, namespace: pulumi.Input<string>, stringData: Settings): pulumi.Output<string> =>
    new k8s.core.v1.Secret(`${place.name}-${role}`, { metadata: { namespace }, stringData }, opts).metadata.name;
  return {
    first,
    secretName: secret("passwords", place.namespace, passwords),
    clientSecret: (name, namespace, settings) =>
      secret(`${name}-client`, namespace, { ...settings, REDIS_PASSWORD: first }),
  };
}
