import type { RedisMode } from "../redisCluster/settings";
import { MODES } from "../redisCluster/settings";
import { type RedisSize, SIZES } from "../redisCluster/size";
import { Faults } from "./faults";
import { bytes, cores } from "./quantities";
import type { Webhook } from "../monitoring/alertmanager";
import type { Seal } from "../secretsPlatform/settings";

/** One environment, as its stack file describes it: read once, checked as a whole. */
export interface PlatformConfig {
  readonly clusterUid?: string;
  /** Where the cluster's nodes do not show their pods' addresses. */
  readonly podCidrs?: readonly string[];
  readonly build: boolean;
  /** Whether this stack installs what the cluster has once, or uses what another installed. */
  readonly clusterServices: "install" | "use";
  readonly secrets: SecretsConfig;
  readonly registry: { readonly storage: string };
  readonly redis: RedisSize & { readonly storage: string; readonly memory: string };
  readonly monitoring: MonitoringConfig;
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

export interface MonitoringConfig {
  readonly enabled: boolean;
  readonly retention: string;
  readonly storage: string;
  readonly webhook?: Webhook;
  readonly runbooks: string;
}

export interface Profile {
  readonly replicas: number;
  readonly spread: "soft" | "hard";
  readonly quota: { readonly cpu: string; readonly memory: string; readonly pods: number };
}

export interface AppConfig {
  /** Folder with the Dockerfile, in stacks that build. */
  readonly source?: string;
  /** The stack whose recorded image to run, in stacks that do not. */
  readonly from?: string;
  readonly port: number;
  readonly redis: boolean;
  readonly expose: boolean;
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

const NAME = /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/;
const CIDR = /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/;
const isCidrList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string" && CIDR.test(each));
const MONITORING_KEYS = ["enabled", "retention", "storage", "webhook", "runbooks"];
type Fields = Readonly<Record<string, unknown>>;

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
  const monitoring = reader.object("platform:monitoring", raw("monitoring"), MONITORING_KEYS);
  const profile = reader.object("platform:profile", raw("profile"), ["replicas", "spread", "quota"]);
  const quota = reader.object("platform:profile.quota", profile.quota, ["cpu", "memory", "pods"]);
  const access = reader.object("platform:access", raw("access"), ["developers", "exec"]);
  const apps = reader.object("platform:apps", raw("apps"));

  const config: PlatformConfig = {
    clusterUid: typeof clusterUid === "string" && clusterUid ? clusterUid : undefined,
    podCidrs: isCidrList(podCidrs) ? podCidrs : undefined,
    build,
    clusterServices: reader.oneOf("platform:clusterServices", raw("clusterServices") ?? "install", ["install", "use"]),
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
    monitoring: {
      enabled: reader.flag("platform:monitoring.enabled", monitoring.enabled ?? true),
      retention: reader.retention("platform:monitoring.retention", monitoring.retention, "2d"),
      storage: reader.size("platform:monitoring.storage", monitoring.storage, "2Gi"),
      webhook: parseWebhook("platform:monitoring.webhook", monitoring.webhook, reader, faults),
      runbooks: reader.text("platform:monitoring.runbooks", monitoring.runbooks, "docs/runbooks"),
    },
    profile: {
      replicas: reader.integer("platform:profile.replicas", profile.replicas, 1, 20),
      spread: reader.oneOf("platform:profile.spread", profile.spread, ["soft", "hard"]),
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
    apps: Object.fromEntries(
      Object.entries(apps).map(([name, value]) => [name, parseApp(name, value, build, reader, faults)]),
    ),
  };
  faults.throwIfAny(
    `the configuration of stack "${stack}" has faults, and nothing was done`,
    `Mend them in Pulumi.${stack}.yaml (keys and types: Pulumi.yaml).`,
  );
  return config;
}

function parseRedisSize(redis: Fields, reader: Reader): RedisSize {
  const mode: RedisMode = reader.oneOf("platform:redis.mode", redis.mode ?? "standalone", MODES);
  const count = (key: "masters" | "replicas"): number => {
    const { least, most, usual } = SIZES[mode][key];
    return reader.integer(`platform:redis.${key}`, redis[key] ?? usual, least, most, ` in mode ${mode}`);
  };
  return { mode, masters: count("masters"), replicas: count("replicas") };
}

function parseApp(name: string, value: unknown, build: boolean, reader: Reader, faults: Faults): AppConfig {
  const place = `platform:apps.${name}`;
  if (!NAME.test(name)) faults.add(place, name, "a name of 1 to 30 lower-case letters, digits and dashes");
  const app = reader.object(place, value, ["source", "from", "port", "redis", "expose"]);
  if (build && !isText(app.source))
    faults.add(
      `${place}.source`,
      app.source,
      "the folder with the application's Dockerfile, as platform:build is true",
    );
  if (!build && !isText(app.from))
    faults.add(`${place}.from`, app.from, "the stack whose image to run, as platform:build is not true");
  return {
    source: build && isText(app.source) ? app.source : undefined,
    from: !build && isText(app.from) ? app.from : undefined,
    port: reader.integer(`${place}.port`, app.port, 1, 65_535),
    redis: reader.flag(`${place}.redis`, app.redis),
    expose: reader.flag(`${place}.expose`, app.expose),
  };
}

/** Those of the cluster itself are everybody, or may do everything. */
function parseGroups(place: string, value: unknown, faults: Faults): string[] {
  const isGroup = (each: unknown): each is string => isText(each) && !each.startsWith("system:");
  if (Array.isArray(value) && value.length > 0 && value.every(isGroup)) return value;
  faults.add(place, value, 'a list of groups such as ["platform:dev-developers"], none of them system:…');
  return [];
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

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Reads single values, noting each fault and going on with a stand-in. */
class Reader {
  constructor(private readonly faults: Faults) {}

  object(place: string, value: unknown, known?: readonly string[]): Fields {
    if (value === undefined) return {};
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.faults.add(place, value, "an object");
      return {};
    }
    const unknown = known ? Object.keys(value).filter((key) => !known.includes(key)) : [];
    for (const key of unknown)
      this.faults.add(`${place}.${key}`, (value as Fields)[key], `one of ${known?.join(", ")}`);
    return value as Fields;
  }

  integer(place: string, value: unknown, min: number, max: number, where = ""): number {
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    this.faults.add(place, value, min === max ? `only ${min}${where}` : `a whole number from ${min} to ${max}${where}`);
    return min;
  }

  flag(place: string, value: unknown): boolean {
    if (value === undefined || typeof value === "boolean") return value === true;
    this.faults.add(place, value, "true or false");
    return false;
  }

  oneOf<T extends string>(place: string, value: unknown, allowed: readonly [T, ...T[]]): T {
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) this.faults.add(place, value, allowed.join(" or "));
    return found ?? allowed[0];
  }

  size(place: string, value: unknown, fallback?: string): string {
    if (value === undefined && fallback) return fallback;
    if (typeof value === "string" && (bytes(value) ?? 0) > 0) return value;
    this.faults.add(place, value, 'a size such as "512Mi" or "2Gi"');
    return "1Gi";
  }

  duration(place: string, value: unknown, fallback: string): string {
    if (value === undefined) return fallback;
    if (typeof value === "string" && /^[1-9]\d*[smh]$/.test(value)) return value;
    this.faults.add(place, value, 'a time such as "30s", "5m" or "1h"');
    return fallback;
  }

  retention(place: string, value: unknown, fallback: string): string {
    if (value === undefined) return fallback;
    if (typeof value === "string" && /^[1-9]\d*[hdw]$/.test(value)) return value;
    this.faults.add(place, value, 'a time such as "12h", "2d" or "4w"');
    return fallback;
  }

  text(place: string, value: unknown, fallback: string): string {
    if (value === undefined || isText(value)) return value ?? fallback;
    this.faults.add(place, value, "a text");
    return fallback;
  }

  cpu(place: string, value: unknown): string {
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text === "string" && (cores(text) ?? 0) > 0) return text;
    this.faults.add(place, value, 'CPU cores such as "8" or "500m"');
    return "1";
  }
}
