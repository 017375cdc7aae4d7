import type * as pulumi from "@pulumi/pulumi";
import type { PlatformConfig } from "./lib/config";
import { postgresWatched } from "./monitoring/subjects/postgres";
import { redisWatched } from "./monitoring/subjects/redis";
import type { Watched } from "./monitoring/watch";
import { Postgres, type PostgresArgs } from "./postgres";
import { ExternalPostgres } from "./postgres/external";
import type { AppDatabase, PostgresService } from "./postgres/service";
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
  /** Those that run here. */
  readonly servers: readonly pulumi.Resource[];
  /** What monitoring asks, by name. */
  readonly watched: Readonly<Record<string, Watched>>;
}

type StoresConfig = Pick<PlatformConfig, "redis" | "postgres" | "apps" | "monitoring">;

/** The stores of a stack file. They stand by themselves: each is a root of the stack's tree. */
export function createStores(config: StoresConfig, args: StoresArgs, opts: pulumi.ComponentResourceOptions): Stores {
  const exporter = (name: string): string | undefined => (config.monitoring.enabled ? args.imageOf(name) : undefined);
  const exporterImage = exporter("redis-exporter");
  const redis = new RedisCluster(
    "redis",
    { ...args, ...config.redis, image: args.imageOf("redis"), exporterImage },
    opts,
  );
  const own = { redis, servers: [redis], watched: { redis: redisWatched(redis.metrics) } };
  if (!config.postgres) return own;

  const databases = databasesOf(config.apps);
  if (config.postgres.external)
    return { ...own, postgres: new ExternalPostgres("postgres", { ...config.postgres.external, ...args, databases }) };

  const { mode } = config.postgres;
  const images = { image: args.imageOf(IMAGES[mode]), exporterImage: exporter("postgres-exporter") };
  const postgres = new Postgres("postgres", { ...args, ...config.postgres, ...images, databases }, opts);
  const watched = { ...own.watched, postgres: postgresWatched(postgres.metrics) };
  return { redis, postgres, servers: [redis, postgres], watched };
}

const databasesOf = (apps: StoresConfig["apps"]): Record<string, AppDatabase> =>
  Object.fromEntries(Object.entries(apps).flatMap(([app, { postgres }]) => (postgres ? [[app, postgres]] : [])));
