import type * as pulumi from "@pulumi/pulumi";
import type { PlatformConfig } from "./lib/config";
import { objectStoreWatched } from "./monitoring/subjects/objectStore";
import { postgresWatched } from "./monitoring/subjects/postgres";
import { redisWatched } from "./monitoring/subjects/redis";
import type { Watched } from "./monitoring/watch";
import { ObjectStore } from "./objectStore";
import { IMAGES as STORE_IMAGES } from "./objectStore/settings";
import { Postgres, type PostgresArgs } from "./postgres";
import { ExternalPostgres } from "./postgres/external";
import type { PostgresService } from "./postgres/service";
import { IMAGES } from "./postgres/settings";
import { RedisCluster } from "./redisCluster";

/** Of the environment, what stores need. */
export interface StoresArgs extends Pick<
  PostgresArgs,
  "environment" | "namespace" | "spread" | "secrets" | "authority" | "services" | "apiServers"
> {
  /** The reference of an image of the lock. */
  readonly imageOf: (name: string) => string;
}

/** Where applications keep what they must not lose. */
export interface Stores {
  readonly redis: RedisCluster;
  readonly postgres?: PostgresService;
  readonly objectStore?: ObjectStore;
  /** Those that run here. */
  readonly servers: readonly pulumi.Resource[];
  /** What monitoring asks, by name. */
  readonly watched: Readonly<Record<string, Watched>>;
}

type StoresConfig = Pick<PlatformConfig, "redis" | "postgres" | "objectStore" | "apps" | "monitoring">;

/** One of them, what of it runs here, and what monitoring asks. */
type Made<T> = {
  readonly store?: T;
  readonly servers: readonly pulumi.Resource[];
  readonly watched: Stores["watched"];
};

const NONE = { servers: [], watched: {} };

/** The stores of a stack file. They stand by themselves: each is a root of the stack's tree. */
export function createStores(config: StoresConfig, args: StoresArgs, opts: pulumi.ComponentResourceOptions): Stores {
  const exporterImage = config.monitoring.enabled ? args.imageOf("redis-exporter") : undefined;
  const redis = new RedisCluster(
    "redis",
    { ...args, ...config.redis, image: args.imageOf("redis"), exporterImage },
    opts,
  );
  const postgres = createPostgres(config, args, opts);
  const objectStore = createObjectStore(config, args, opts);
  return {
    redis,
    postgres: postgres.store,
    objectStore: objectStore.store,
    servers: [redis, ...postgres.servers, ...objectStore.servers],
    watched: { redis: redisWatched(redis.metrics), ...postgres.watched, ...objectStore.watched },
  };
}

function createPostgres(
  { postgres: config, apps, monitoring }: StoresConfig,
  args: StoresArgs,
  opts: pulumi.ComponentResourceOptions,
): Made<PostgresService> {
  if (!config) return NONE;
  const databases = of(apps, ({ postgres }) => postgres);
  if (config.external)
    return { ...NONE, store: new ExternalPostgres("postgres", { ...config.external, ...args, databases }) };

  const exporterImage = monitoring.enabled ? args.imageOf("postgres-exporter") : undefined;
  const images = { image: args.imageOf(IMAGES[config.mode]), exporterImage };
  const store = new Postgres("postgres", { ...args, ...config, ...images, databases }, opts);
  return { store, servers: [store], watched: { postgres: postgresWatched(store.metrics) } };
}

function createObjectStore(
  { objectStore: config, apps }: StoresConfig,
  args: StoresArgs,
  opts: pulumi.ComponentResourceOptions,
): Made<ObjectStore> {
  if (!config) return NONE;
  const { imageOf } = args;
  const images = { server: imageOf(STORE_IMAGES[config.cpu]), front: imageOf("traefik"), keeper: imageOf("node") };
  const buckets = of(apps, ({ bucket }) => bucket);
  const store = new ObjectStore("object-store", { ...args, ...config, images, buckets }, opts);
  return { store, servers: [store], watched: { "object-store": objectStoreWatched(store.metrics) } };
}

/** What each application has of something, by application. */
const of = <T>(
  apps: StoresConfig["apps"],
  pick: (app: StoresConfig["apps"][string]) => T | undefined,
): Record<string, T> =>
  Object.fromEntries(
    Object.entries(apps).flatMap(([app, config]) => {
      const found = pick(config);
      return found === undefined ? [] : [[app, found] as const];
    }),
  );
