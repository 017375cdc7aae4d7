import type { RedisMode } from "../redisCluster/settings";
import { MODES } from "../redisCluster/settings";
import { type RedisSize, SIZES } from "../redisCluster/size";
import { type AppConfig, parseApps } from "./appConfig";
import { type Fields, NAME, Reader, isCidrList, isText } from "./configReader";
import { Faults } from "./faults";
import { type ObjectStoreConfig, parseObjectStore } from "./objectStoreConfig";
import { type PostgresConfig, parsePostgres } from "./postgresConfig";
import type { Webhook } from "../monitoring/alertmanager";
import type { Seal } from "../secretsPlatform/settings";
import type { Spread } from "./spread";
import { type StatusConfig, parseStatus } from "./statusConfig";

/** One environment, as its stack file describes it: read once, checked as a whole. */
export interface PlatformConfig {
  readonly clusterUid?: string;
  /** Where the cluster's nodes do not show their pods' addresses. */
  readonly podCidrs?: readonly string[];
  readonly build: boolean;
  /** Whether this stack installs what the cluster has once, or uses what another installed. */
  readonly clusterServices: "install" | "use";
  /** The other environments of the cluster that are deployed as an account of their own. */
  readonly deployers: readonly string[];
  readonly secrets: SecretsConfig;
  readonly registry: { readonly storage: string };
  readonly redis: RedisSize & { readonly storage: string; readonly memory: string };
  /** Where there is one. */
  readonly postgres?: PostgresConfig;
  readonly objectStore?: ObjectStoreConfig;
  readonly edge: EdgeConfig;
  readonly monitoring: MonitoringConfig;
  /** The page that shows which endpoints answer, where there is one. */
  readonly status?: StatusConfig;
  readonly profile: Profile;
  /** Who may edit the applications' namespace, and whether they get into running pods. */
  readonly access: { readonly developers: readonly string[]; readonly exec: boolean };
  readonly apps: Readonly<Record<string, AppConfig>>;
}

export interface SecretsConfig {
  readonly replicas: number;
  readonly storage: string;
  readonly refresh: string;
  readonly seal: Seal;
}

export interface EdgeConfig {
  /** Below which every host of the environment is. */
  readonly domain: string;
  readonly replicas: number;
}

export interface MonitoringConfig {
  readonly enabled: boolean;
  readonly retention: string;
  readonly storage: string;
  readonly webhook?: Webhook;
  readonly runbooks: string;
  /** Dashboards; where nothing is said, they are there where their image is. */
  readonly grafana?: boolean;
}

const DATA = ["keep", "delete"] as const;

export interface Profile {
  readonly replicas: number;
  readonly spread: Spread;
  /** What becomes of the environment's data when its stack is removed: it is not, or they go with it. */
  readonly data: (typeof DATA)[number];
  readonly quota: { readonly cpu: string; readonly memory: string; readonly pods: number };
}

/** What the program asks of Pulumi's configuration: raw values by key, without the project's prefix. */
export type RawConfig = (key: string) => unknown;

/** Pulumi hands every value over as text: objects and flags as JSON, texts as they are. */
export function decoded(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const MONITORING_KEYS = ["enabled", "retention", "storage", "webhook", "runbooks", "grafana"];

export function parseConfig(stack: string, raw: RawConfig): PlatformConfig {
  const faults = new Faults();
  const reader = new Reader(faults);
  if (!NAME.test(stack))
    faults.add("the stack's name", stack, "1 to 30 lower-case letters, digits and dashes, as it names namespaces");
  const build = reader.flag("platform:build", raw("build"));
  const clusterUid = raw("clusterUid") ?? "";
  if (typeof clusterUid !== "string")
    faults.add("platform:clusterUid", clusterUid, "the UID of the cluster's kube-system namespace");
  const ranges = raw("podCidrs");
  const podCidrs = Array.isArray(ranges) && ranges.length === 0 ? undefined : ranges;
  if (podCidrs !== undefined && !isCidrList(podCidrs))
    faults.add("platform:podCidrs", podCidrs, 'a list of IPv4 ranges such as ["10.244.0.0/16"]');
  const secrets = reader.object("platform:secrets", raw("secrets"), ["replicas", "storage", "refresh", "seal"]);
  const registry = reader.object("platform:registry", raw("registry"), ["storage"]);
  const redis = reader.object("platform:redis", raw("redis"), ["mode", "masters", "replicas", "storage", "memory"]);
  const profile = reader.object("platform:profile", raw("profile"), ["replicas", "spread", "quota", "data"]);
  const quota = reader.object("platform:profile.quota", profile.quota, ["cpu", "memory", "pods"]);
  const access = reader.object("platform:access", raw("access"), ["developers", "exec"]);
  const replicas = reader.integer("platform:profile.replicas", profile.replicas, 1, 20);
  const clusterServices = reader.oneOf("platform:clusterServices", raw("clusterServices") ?? "install", [
    "install",
    "use",
  ]);

  const config: PlatformConfig = {
    clusterUid: typeof clusterUid === "string" && clusterUid ? clusterUid : undefined,
    podCidrs: isCidrList(podCidrs) ? podCidrs : undefined,
    build,
    clusterServices,
    deployers: parseDeployers(raw("deployers") ?? [], stack, clusterServices, faults),
    secrets: {
      replicas: parseServers("platform:secrets.replicas", secrets.replicas ?? 1, faults),
      storage: reader.size("platform:secrets.storage", secrets.storage, "1Gi"),
      refresh: reader.duration("platform:secrets.refresh", secrets.refresh, "1m"),
      seal: parseSeal("platform:secrets.seal", secrets.seal, reader, faults),
    },
    registry: { storage: reader.size("platform:registry.storage", registry.storage, "5Gi") },
    redis: {
      ...parseRedisSize(redis, reader),
      storage: reader.size("platform:redis.storage", redis.storage, "1Gi"),
      memory: reader.size("platform:redis.memory", redis.memory, "128Mi"),
    },
    edge: parseEdge("platform:edge", raw("edge"), replicas, reader, faults),
    monitoring: parseMonitoring("platform:monitoring", raw("monitoring"), reader, faults),
    profile: {
      replicas,
      spread: reader.oneOf("platform:profile.spread", profile.spread, ["soft", "hard"]),
      data: reader.oneOf("platform:profile.data", profile.data ?? "keep", DATA),
      quota: {
        cpu: reader.cpu("platform:profile.quota.cpu", quota.cpu),
        memory: reader.size("platform:profile.quota.memory", quota.memory),
        pods: reader.integer("platform:profile.quota.pods", quota.pods, 1, 10_000),
      },
    },
    access: {
      developers: parseGroups(
        "platform:access.developers",
        access.developers ?? [`platform:${stack}-developers`],
        faults,
      ),
      exec: reader.flag("platform:access.exec", access.exec),
    },
    apps: parseApps("platform:apps", raw("apps"), build, reader, faults),
  };
  const { apps } = config;
  const postgres = parsePostgres("platform:postgres", raw("postgres"), apps, reader, faults);
  const objectStore = parseObjectStore("platform:objectStore", raw("objectStore"), apps, reader, faults);
  const status = parseStatus("platform:status", raw("status"), config, reader, faults);
  faults.throwIfAny(
    `the configuration of stack "${stack}" has faults, and nothing was done`,
    `Mend them in Pulumi.${stack}.yaml (keys and types: Pulumi.yaml).`,
  );
  return { ...config, postgres, objectStore, status };
}

function parseRedisSize(redis: Fields, reader: Reader): RedisSize {
  const mode: RedisMode = reader.oneOf("platform:redis.mode", redis.mode ?? "standalone", MODES);
  const count = (key: "masters" | "replicas"): number => {
    const { least, most, usual } = SIZES[mode][key];
    return reader.integer(`platform:redis.${key}`, redis[key] ?? usual, least, most, ` in mode ${mode}`);
  };
  return { mode, masters: count("masters"), replicas: count("replicas") };
}

function parseEdge(place: string, value: unknown, usual: number, reader: Reader, faults: Faults): EdgeConfig {
  const { domain, replicas } = reader.object(place, value, ["domain", "replicas"]);
  const sound = isText(domain) && domain.length <= 189 && DOMAIN.test(domain);
  if (!sound)
    faults.add(`${place}.domain`, domain, 'the domain of the environment\'s hosts, such as "dev.platform.test"');
  return {
    domain: sound ? domain : "",
    replicas: reader.integer(`${place}.replicas`, replicas ?? usual, 1, 20),
  };
}

function parseMonitoring(place: string, value: unknown, reader: Reader, faults: Faults): MonitoringConfig {
  const monitoring = reader.object(place, value, MONITORING_KEYS);
  const enabled = reader.flag(`${place}.enabled`, monitoring.enabled ?? true);
  const grafana = monitoring.grafana === undefined ? undefined : reader.flag(`${place}.grafana`, monitoring.grafana);
  if (grafana && !enabled) faults.add(`${place}.grafana`, grafana, `false or nothing, as ${place}.enabled is false`);
  return {
    enabled,
    retention: reader.retention(`${place}.retention`, monitoring.retention, "2d"),
    storage: reader.size(`${place}.storage`, monitoring.storage, "2Gi"),
    webhook: parseWebhook(`${place}.webhook`, monitoring.webhook, reader, faults),
    runbooks: reader.text(`${place}.runbooks`, monitoring.runbooks, "docs/runbooks"),
    grafana: enabled ? grafana : false,
  };
}

/** Those of the cluster itself are everybody, or may do everything. */
function parseGroups(place: string, value: unknown, faults: Faults): string[] {
  const isGroup = (each: unknown): each is string => isText(each) && !each.startsWith("system:");
  if (Array.isArray(value) && value.length > 0 && value.every(isGroup)) return value;
  faults.add(place, value, 'a list of groups such as ["platform:dev-developers"], none of them system:…');
  return [];
}

/** Made with what the cluster has once. Who makes that has more rights than any of them. */
function parseDeployers(value: unknown, stack: string, services: "install" | "use", faults: Faults): string[] {
  const place = "platform:deployers";
  const isOther = (each: unknown): each is string => isText(each) && NAME.test(each) && each !== stack;
  if (!Array.isArray(value) || !value.every(isOther) || new Set(value).size < value.length) {
    faults.add(place, value, `a list of other environments such as ["qa", "prod"], each once`);
    return [];
  }
  if (services === "use" && value.length > 0)
    faults.add(
      place,
      value,
      "nothing where platform:clusterServices is use: the stack that installs them makes these too",
    );
  return value;
}

/** Any other number has no majority that a smaller one would not have as well. */
function parseServers(place: string, value: unknown, faults: Faults): number {
  if (value === 1 || value === 3 || value === 5) return value;
  faults.add(place, value, "1, 3 or 5");
  return 1;
}

function parseSeal(place: string, value: unknown, reader: Reader, faults: Faults): Seal {
  const seal = reader.object(place, value, ["type", "settings", "credentials"]);
  const type = reader.oneOf(`${place}.type`, seal.type ?? "cluster", [
    "cluster",
    "transit",
    "awskms",
    "gcpckms",
    "azurekeyvault",
  ]);
  const settings = reader.object(`${place}.settings`, seal.settings);
  for (const [key, each] of Object.entries(settings))
    if (typeof each !== "string") faults.add(`${place}.settings.${key}`, each, "a text");
  if (type !== "cluster" && Object.keys(settings).length === 0)
    faults.add(`${place}.settings`, seal.settings, `the settings of Vault's seal "${type}", none of them secret`);
  if (seal.credentials !== undefined && !isText(seal.credentials))
    faults.add(`${place}.credentials`, seal.credentials, "the name of a Secret in the environment's secrets namespace");
  return {
    type,
    settings: settings as Record<string, string>,
    credentials: isText(seal.credentials) ? seal.credentials : undefined,
  };
}

function parseWebhook(place: string, value: unknown, reader: Reader, faults: Faults): Webhook | undefined {
  if (value === undefined) return undefined;
  const { url, addresses } = reader.object(place, value, ["url", "addresses"]);
  const sound = isText(url) && /^https?:\/\/[^/]/.test(url) && URL.canParse(url);
  if (!sound) faults.add(`${place}.url`, url, "where alerts are posted to, http:// or https://");
  if (!isCidrList(addresses))
    faults.add(`${place}.addresses`, addresses, 'the address ranges behind the URL, such as ["203.0.113.7/32"]');
  return sound && isCidrList(addresses) ? { url, addresses } : undefined;
}
