import { DASHBOARDS_HOST, STATUS_HOST } from "../edge/route";
import { type Amounts, type AppSettings, checkAppSettings } from "./appSettings";
import { NAME, type Reader, isText } from "./configReader";
import type { Faults } from "./faults";
import { parseAppBucket } from "./objectStoreConfig";
import { parseAppDatabase } from "./postgresConfig";
import { type Strategy, checkEndings, checkStrategy, parseStrategy } from "./strategyConfig";
import type { AppBucket } from "../objectStore/settings";
import type { AppDatabase } from "../postgres/service";

/** One application, as the stack file describes it. */
export interface AppConfig extends AppSettings {
  /** Folder with the Dockerfile, in stacks that build. */
  readonly source?: string;
  /** The stack whose recorded image to run, in stacks that do not. */
  readonly from?: string;
  readonly port: number;
  readonly redis: boolean;
  /** A database of its own. */
  readonly postgres?: AppDatabase;
  /** A bucket in the object store, with a key for it alone. */
  readonly bucket?: AppBucket;
  /** Has its passwords of Redis and Postgres as files too, which change with Vault. */
  readonly passwordFiles?: boolean;
  readonly expose: boolean;
  /** Tells metrics at /metrics, for Prometheus. */
  readonly metrics: boolean;
  /** Label below the edge's domain. */
  readonly host?: string;
  /** Of the host, what begins with this; the application sees it whole. */
  readonly path?: string;
  /** In place of the profile's. */
  readonly replicas?: number;
  /** How a new version takes over, where not by a rollout in place. */
  readonly strategy?: Strategy;
}

export const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** As browsers send it: what is encoded, doubled or climbs would be read differently by edge and application. */
const PATH = /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/;
const KEYS = [
  "source",
  "from",
  "port",
  "redis",
  "postgres",
  "bucket",
  "expose",
  "metrics",
  "host",
  "path",
  "passwordFiles",
];
const SETTINGS = ["replicas", "strategy", "autoscale", "resources", "env", "secrets", "generate"];

export function parseApps(
  place: string,
  value: unknown,
  build: boolean,
  reader: Reader,
  faults: Faults,
): Record<string, AppConfig> {
  const entries = Object.entries(reader.object(place, value));
  const apps = entries.map(
    ([name, each]) => [name, new AppReader(name, `${place}.${name}`, reader, faults).parse(each, build)] as const,
  );
  checkPlaces(place, apps, faults);
  checkEndings(place, apps, faults);
  return Object.fromEntries(apps);
}

/** Applications may share a host, each below a path of its own. */
function checkPlaces(place: string, apps: readonly (readonly [string, AppConfig])[], faults: Faults): void {
  const taken = new Map<string, string>();
  for (const [name, { host, path = "" }] of apps) {
    if (host === undefined) continue;
    const [key, value, kind] = path ? ["path", path, "path"] : ["host", host, "label"];
    const isPlatforms = [DASHBOARDS_HOST, STATUS_HOST].includes(host);
    const first = isPlatforms ? "the platform" : taken.get(host + path);
    if (isPlatforms) faults.add(`${place}.${name}.host`, host, `a label of its own, as ${first} has this one`);
    else if (first) faults.add(`${place}.${name}.${key}`, value, `a ${kind} of its own, as ${first} has this one`);
    taken.set(host + path, name);
  }
}

class AppReader {
  constructor(
    private readonly name: string,
    private readonly place: string,
    private readonly reader: Reader,
    private readonly faults: Faults,
  ) {}

  parse(value: unknown, build: boolean): AppConfig {
    const { name, place, reader, faults } = this;
    if (!NAME.test(name)) faults.add(place, name, "a name of 1 to 30 lower-case letters, digits and dashes");
    const app = reader.object(place, value, [...KEYS, ...SETTINGS]);
    if (build && !isText(app.source))
      faults.add(
        `${place}.source`,
        app.source,
        "the folder with the application's Dockerfile, as platform:build is true",
      );
    if (!build && !isText(app.from))
      faults.add(`${place}.from`, app.from, "the stack whose image to run, as platform:build is not true");
    if (app.replicas !== undefined && app.autoscale !== undefined)
      faults.add(`${place}.replicas`, app.replicas, "nothing, as autoscale decides");
    const settings: AppSettings = {
      autoscale: this.autoscale(app.autoscale),
      resources: this.resources(app.resources),
      env: this.texts("env", app.env),
      secrets: this.texts("secrets", app.secrets),
      generate: this.names("generate", app.generate),
    };
    checkAppSettings(name, place, settings, faults);
    const strategy = parseStrategy(`${place}.strategy`, app.strategy, reader, faults);
    const host = this.host(app.host);
    checkStrategy(`${place}.strategy`, { strategy, host }, faults);
    return {
      source: build && isText(app.source) ? app.source : undefined,
      from: !build && isText(app.from) ? app.from : undefined,
      port: reader.integer(`${place}.port`, app.port, 1, 65_535),
      redis: reader.flag(`${place}.redis`, app.redis),
      postgres: parseAppDatabase(name, `${place}.postgres`, app.postgres, reader, faults),
      bucket: parseAppBucket(name, `${place}.bucket`, app.bucket, reader, faults),
      passwordFiles:
        app.passwordFiles === undefined ? undefined : reader.flag(`${place}.passwordFiles`, app.passwordFiles),
      expose: reader.flag(`${place}.expose`, app.expose),
      metrics: reader.flag(`${place}.metrics`, app.metrics),
      host,
      path: this.path(app.path, app.host),
      replicas: app.replicas === undefined ? undefined : reader.integer(`${place}.replicas`, app.replicas, 1, 100),
      strategy,
      ...settings,
    };
  }

  private host(value: unknown): string | undefined {
    if (value === undefined || (isText(value) && LABEL.test(value))) return value;
    this.faults.add(`${this.place}.host`, value, 'a label below the domain of platform:edge, such as "visit-tracker"');
    return undefined;
  }

  private path(value: unknown, host: unknown): string | undefined {
    if (value === undefined) return undefined;
    const place = `${this.place}.path`;
    if (host === undefined) this.faults.add(place, value, "nothing, as there is no host");
    if (isText(value) && PATH.test(value)) return value;
    this.faults.add(place, value, 'a path without a slash at its end, such as "/api"');
    return undefined;
  }

  private autoscale(value: unknown): AppSettings["autoscale"] {
    if (value === undefined) return undefined;
    const place = `${this.place}.autoscale`;
    const { min, max, cpu } = this.reader.object(place, value, ["min", "max", "cpu"]);
    return {
      min: this.reader.integer(`${place}.min`, min, 1, 100),
      max: this.reader.integer(`${place}.max`, max, 1, 100),
      cpu: this.reader.integer(`${place}.cpu`, cpu, 1, 100),
    };
  }

  private resources(value: unknown): AppSettings["resources"] {
    if (value === undefined) return undefined;
    const place = `${this.place}.resources`;
    const given = this.reader.object(place, value, ["requests", "limits"]);
    const amounts = (key: "requests" | "limits"): Amounts => {
      const { cpu, memory } = this.reader.object(`${place}.${key}`, given[key], ["cpu", "memory"]);
      return {
        ...(cpu === undefined ? {} : { cpu: this.reader.cpu(`${place}.${key}.cpu`, cpu) }),
        ...(memory === undefined ? {} : { memory: this.reader.size(`${place}.${key}.memory`, memory) }),
      };
    };
    return { requests: amounts("requests"), limits: amounts("limits") };
  }

  private names(key: "generate", value: unknown): string[] {
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every(isText)) return value;
    this.faults.add(`${this.place}.${key}`, value, 'a list of variables, such as ["SESSION_KEY"]');
    return [];
  }

  private texts(key: "env" | "secrets", value: unknown): Record<string, string> {
    const place = `${this.place}.${key}`;
    const entries = Object.entries(this.reader.object(place, value));
    for (const [variable, each] of entries)
      if (typeof each !== "string") this.faults.add(`${place}.${variable}`, each, "a text, in quotation marks");
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  }
}
