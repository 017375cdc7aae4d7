import Redis, { Cluster, type RedisOptions } from "ioredis";
import type { RedisSettings } from "./settings";

export const COMMAND_MS = 1500;

/** How often a cluster is asked who has which keys now. */
const REFRESH_MS = 1000;

/**
 * A client for any of the three modes. Nothing waits in a queue for a connection, a connection that falls silent is dropped
 * and made anew, and no command is sent twice: a repeated INCR would count one visit twice.
 */
export function connect(settings: RedisSettings): Redis | Cluster {
  const { mode, host, port, username, password, sentinelName } = settings;
  // Every server and sentinel shows a certificate for the one name that all of them share.
  const tls = settings.tls ? { servername: host, ...(settings.ca && { ca: settings.ca }) } : undefined;
  const options: RedisOptions = {
    username,
    password,
    tls,
    connectionName: "visit-tracker",
    connectTimeout: COMMAND_MS,
    commandTimeout: COMMAND_MS,
    socketTimeout: COMMAND_MS,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Both need rights that a user made for this service alone does not have.
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
    reconnectOnError: ({ message }) => message.startsWith("READONLY"),
  };
  if (mode === "sentinel") {
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
  return new Redis({ ...single, host, port });
}
