import type { PlatformConfig } from "../../components/lib/config";
import { generatedPathOf } from "../../components/lib/appSettings";
import { usersOf as storeUsersOf } from "../../components/objectStore/settings";
import { ADMIN, OWN_LOGINS, roleOf } from "../../components/postgres/settings";
import { usersOf } from "../../components/redisCluster/settings";

/** A password in Vault that servers follow and clients read. */
export interface Credential {
  readonly name: string;
  readonly what: string;
  /** In Vault's key-value store. */
  readonly path: string;
  /** All that get a new value, by property; the first is tried at the servers' doors. */
  readonly properties: readonly [string, ...string[]];
  readonly at: Place;
}

/** At which door it is tried: that of Redis for a user, or that of Postgres for a role and its database. */
export type Place =
  | { readonly kind: "redis"; readonly user: string }
  | { readonly kind: "postgres"; readonly role: string; readonly database: string };

/** A value in Vault that a command must not change by itself. */
export interface ByHand {
  readonly name: string;
  readonly why: string;
}

export interface Known {
  readonly credentials: readonly Credential[];
  readonly byHand: readonly ByHand[];
}

type Config = Pick<PlatformConfig, "apps" | "redis" | "postgres" | "objectStore">;

const AT_START = "pods take it when they start: change it in Vault, then restart them (docs/operations.md, Rotating)";
/** Told to the exporter when it starts, for looking at figures only. */
const LEFT = ["exporter"];

/** What a stack keeps in Vault, by the name that people give it. */
export function knownIn({ apps, redis, postgres, objectStore }: Config): Known {
  const credentials = [...ofRedis(redis.mode), ...ofPostgres(postgres, apps)];
  const buckets = Object.fromEntries(
    Object.entries(apps).flatMap(([app, { bucket }]) => (bucket ? [[app, bucket] as const] : [])),
  );
  const generated = Object.entries(apps).flatMap(([app, { generate = [] }]) =>
    generate.map((variable) => ({
      name: `app/${app}/${variable}`,
      why: `what was encrypted or signed with ${variable} would be lost: keep the old one for reading, as the application's README says; it is at ${generatedPathOf(app, variable)}`,
    })),
  );
  const kept = [
    ...["pull", "push"].map((role) => ({
      name: `registry/${role}`,
      why: `change ${role}Password and ${role}Hash (bcrypt of it) together at registry/${role}: the registry and its clients follow`,
    })),
    ...(postgres && !postgres.external
      ? OWN_LOGINS[postgres.mode].map((login) => ({
          name: `postgres/${login}`,
          why:
            login === ADMIN
              ? AT_START
              : `change it at postgres/servers: the servers follow within the refresh interval, and no client has it`,
        }))
      : []),
    ...(objectStore ? storeUsersOf(buckets).map(({ name }) => ({ name: `store/${name}`, why: AT_START })) : []),
  ];
  return { credentials, byHand: [...kept, ...generated] };
}

function ofRedis(mode: Config["redis"]["mode"]): Credential[] {
  const servers = usersOf(mode).filter((user) => user !== "app" && user !== "keeper" && !LEFT.includes(user));
  return [
    {
      name: "redis/app",
      what: "as which every application that uses Redis logs in",
      path: "redis/app",
      properties: ["app"],
      at: { kind: "redis", user: "app" },
    },
    {
      name: "redis/servers",
      what: "as which the servers of Redis talk to each other and look after themselves",
      path: "redis/servers",
      properties: ["keeper", ...servers],
      at: { kind: "redis", user: "keeper" },
    },
  ];
}

function ofPostgres(postgres: Config["postgres"], apps: Config["apps"]): Credential[] {
  if (!postgres || postgres.external) return [];
  return Object.entries(apps).flatMap(([app, { postgres: own }]) =>
    own
      ? [
          {
            name: `postgres/${app}`,
            what: `as which ${app} logs in to its database ${own.database}`,
            path: `postgres/${app}`,
            properties: [roleOf(app)] as const,
            at: { kind: "postgres", role: roleOf(app), database: own.database } as const,
          },
        ]
      : [],
  );
}
