import Redis, { Cluster, type RedisOptions } from "ioredis";
import type { RedisSettings } from "./settings";

export type Client = Redis | Cluster;

export const COMMAND_MS = 1500;
/** How often a cluster is asked who has which keys now. */
const REFRESH_MS = 1000;

/**
 * A client for any of the three modes. It queues nothing while there is no connection, drops one that falls silent, and sends nothing
 * again by itself: what may be repeated is decided above it.
 */
export function connect(settings: RedisSettings): Client {
  const { mode, host, port, username, password, sentinelName } = settings;
  // Every server and sentinel shows a certificate for the one name that all of them share.
  const tls = settings.tls ? { servername: host, ...(settings.ca && { ca: settings.ca }) } : undefined;
  const options: RedisOptions = {
    username,
    password,
    tls,
    connectionName: "one-time-secret",
    connectTimeout: COMMAND_MS,
    commandTimeout: COMMAND_MS,
    socketTimeout: COMMAND_MS,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Both take rights beyond those of this service.
    enableReadyCheck: false,
    disableClientInfo: true,
  };
  const retryStrategy = (attempt: number): number => Math.min(100 * attempt, 1000);
  if (mode === "cluster") {
    return new Cluster([{ host, port }], {
      redisOptions: options,
      clusterRetryStrategy: retryStrategy,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      retryDelayOnFailover: 0,
      slotsRefreshTimeout: COMMAND_MS,
      slotsRefreshInterval: REFRESH_MS,
    });
  }
  const single: RedisOptions = {
    ...options,
    enableOfflineQueue: false,
    retryStrategy,
    // A master that became a replica keeps its connections: make a new one, to whoever is master now.
    reconnectOnError: ({ message }) => /READONLY/.test(message),
  };
  if (mode === "standalone") return new Redis({ ...single, host, port });
  return new Redis({
    ...single,
    sentinels: [{ host, port }],
    name: sentinelName,
    sentinelUsername: username,
    sentinelPassword: password,
    sentinelRetryStrategy: retryStrategy,
    sentinelCommandTimeout: COMMAND_MS,
    // What the sentinels know of each other are names that need not resolve here; the first address leads to all of them.
    updateSentinels: false,
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
  });
}
