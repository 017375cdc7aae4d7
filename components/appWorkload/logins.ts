import type * as pulumi from "@pulumi/pulumi";
import type { Mount } from "./deployment";

/** By what an application connects to: the variable that holds its password, which is a file as well. */
const PASSWORDS = { redis: "REDIS_PASSWORD", postgres: "PGPASSWORD" } as const;

type Credentials = Readonly<Record<keyof typeof PASSWORDS, pulumi.Output<string> | undefined>>;

interface Logins {
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
}

/** A variable says for good what was right when the container started; a file is another one when the password was changed. */
export function loginsOf(credentials: Credentials, asFiles: boolean): Logins {
  const found = Object.entries(PASSWORDS).flatMap(([store, variable]) => {
    const secretName = asFiles ? credentials[store as keyof Credentials] : undefined;
    return secretName ? [{ store, variable, secretName, directory: `/etc/logins/${store}` }] : [];
  });
  return {
    env: Object.fromEntries(found.map(({ variable, directory }) => [`${variable}_FILE`, `${directory}/${variable}`])),
    mounts: found.map(({ store, variable, secretName, directory }) => ({
      name: `${store}-login`,
      directory,
      volume: { secret: { secretName, items: [{ key: variable, path: variable }], defaultMode: 0o440 } },
    })),
  };
}
