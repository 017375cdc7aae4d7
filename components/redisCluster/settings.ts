import { bytes } from "../lib/quantities";

export const MODES = ["standalone", "sentinel", "cluster"] as const;
export type RedisMode = (typeof MODES)[number];

export const PORT = 6379;
/** Where the nodes of a cluster talk to each other; Redis adds 10000 by itself. */
export const BUS_PORT = PORT + 10_000;
export const SENTINEL_PORT = 26_379;

export const APP = "app";

/** What everybody may do who has a login, by user: nothing but what is named here. */
const RIGHTS: Readonly<Record<RedisMode, Readonly<Record<string, string>>>> = {
  standalone: { keeper: "+ping +config|set +acl|setuser" },
  sentinel: {
    keeper: "+ping +info +dbsize +replicaof +config|set +acl|setuser +client|pause +client|unpause",
    sentinel:
      "&__sentinel__:hello +multi +exec +ping +info +role +slaveof +publish +subscribe +config|rewrite +client|setname +client|kill +script|kill",
  },
  cluster: {
    keeper:
      "+ping +info +dbsize +config|set +config|get +acl|setuser +cluster|nodes +cluster|meet +cluster|replicate +cluster|forget +cluster|failover",
    resize:
      "~* +ping +info +dbsize +config|get +select +cluster +readonly +asking +migrate +restore +restore-asking +del +type +exists",
  },
};

const EVERYWHERE: Readonly<Record<string, string>> = {
  [APP]: "~* &* +@all -@admin -@dangerous +info",
  probe: "+ping +info +cluster|info",
  exporter: "+ping +info +slowlog|len +slowlog|get +latency|latest +latency|histogram +cluster|info +cluster|nodes",
};

const ON_SENTINELS: Readonly<Record<string, string>> = {
  [APP]:
    "&+switch-master +ping +info +subscribe +client|setname +sentinel|get-master-addr-by-name +sentinel|master +sentinel|masters +sentinel|replicas +sentinel|slaves +sentinel|sentinels",
  sentinel: "&__sentinel__:hello +ping +info +publish +subscribe +client|setname +sentinel",
  keeper: "+ping +acl|setuser +sentinel|master +sentinel|failover +sentinel|debug +sentinel|set +sentinel|config",
};

const rightsIn = (mode: RedisMode): Record<string, string> => ({
  ...EVERYWHERE,
  ...RIGHTS[mode],
  ...(mode === "standalone" ? {} : { replication: "+psync +replconf +ping" }),
});

/**
 * Nobody can log in as the default user, yet it needs all rights: in its name a server reads its file back, and transactions in
 * there, which every script that writes twice is, are dropped where it lacks them.
 */
const NOBODY = "user default off ~* &* +@all";

const listed = (rights: Readonly<Record<string, string>>): string =>
  `${[NOBODY, ...Object.entries(rights).map(([user, may]) => `user ${user} ${may}`)].join("\n")}\n`;

/** Whose passwords there must be. */
export const usersOf = (mode: RedisMode): string[] => Object.keys(rightsIn(mode));

/** Users and rights, without passwords: each pod adds those as hashes. */
export const userTemplate = (mode: RedisMode): string => listed(rightsIn(mode));

export const sentinelUserTemplate = (): string => listed(ON_SENTINELS);

/** What is the same for every server of a Redis; `redis.sh` adds what only the pod knows. */
export function redisConf(mode: RedisMode, memory: string, replicas: number): string {
  const lines = [
    "protected-mode no",
    "appendonly yes",
    "appendfsync everysec",
    'save ""',
    `maxmemory ${Math.floor((bytes(memory) ?? 0) * 0.6)}`,
    "maxmemory-policy noeviction",
    "tcp-keepalive 60",
    "repl-diskless-sync-delay 0",
    // With one replica only, each of its restarts would stop the writes. In a cluster a master that is cut off stops by
    // itself, after the node timeout.
    ...(replicas > 1 ? ["min-replicas-to-write 1", "min-replicas-max-lag 10"] : []),
  ];
  const clustered = [
    "cluster-enabled yes",
    "cluster-config-file nodes.conf",
    "cluster-node-timeout 5000",
    "cluster-preferred-endpoint-type hostname",
    "cluster-replica-validity-factor 0",
    "cluster-require-full-coverage no",
  ];
  return `${[...lines, ...(mode === "cluster" ? clustered : [])].join("\n")}\n`;
}
