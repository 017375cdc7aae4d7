import {
  ACCESSES,
  type AppBucket,
  LEAST_MEMORY,
  MODES,
  PROCESSORS,
  type ObjectStoreMode,
  SERVERS,
} from "../objectStore/settings";
import { type Reader, isText } from "./configReader";
import type { Faults } from "./faults";
import { bytes } from "./quantities";

export interface ObjectStoreConfig {
  readonly mode: ObjectStoreMode;
  readonly servers: number;
  readonly storage: string;
  readonly memory: string;
  /** What the processors know at least. */
  readonly cpu: (typeof PROCESSORS)[number];
}

type Buckets = Readonly<Record<string, { readonly bucket?: AppBucket }>>;

const LEAST_STORAGE = "512Mi";
/** Of S3, without dots, which a certificate's wildcard would not cover. */
const BUCKET = /^[a-z0-9]([a-z0-9-]{1,61})[a-z0-9]$/;
/** MinIO's own. */
const RESERVED = ["minio"];

/** A key that is declared has a value: that of the project where a stack names none. */
const isEmpty = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** `platform:objectStore`, without which there is none, checked together with the applications that use it. */
export function parseObjectStore(
  place: string,
  value: unknown,
  apps: Buckets,
  reader: Reader,
  faults: Faults,
): ObjectStoreConfig | undefined {
  if (value === undefined || isEmpty(value)) {
    for (const [app, { bucket }] of Object.entries(apps))
      if (bucket) faults.add(`platform:apps.${app}.bucket`, bucket, `nothing, as there is no ${place}`);
    return undefined;
  }
  for (const [app, { bucket }] of Object.entries(apps))
    if (bucket?.load && `${app}-loader` in apps)
      faults.add(
        `platform:apps.${app}-loader`,
        `${app}-loader`,
        `another name, as it is that of what loads ${app}'s bucket`,
      );
  const given = reader.object(place, value, ["mode", "servers", "storage", "memory", "cpu"]);
  const mode = reader.oneOf(`${place}.mode`, given.mode ?? "standalone", MODES);
  const { least, most, usual } = SERVERS[mode];
  const size = (key: "storage" | "memory", fallback: string, floor: string): string => {
    const found = reader.size(`${place}.${key}`, given[key], fallback);
    if ((bytes(found) ?? 0) < (bytes(floor) ?? 0)) faults.add(`${place}.${key}`, found, `at least ${floor}`);
    return found;
  };
  return {
    mode,
    servers: reader.integer(`${place}.servers`, given.servers ?? usual, least, most, ` in mode ${mode}`),
    storage: size("storage", "2Gi", LEAST_STORAGE),
    memory: size("memory", "512Mi", LEAST_MEMORY),
    cpu: reader.oneOf(`${place}.cpu`, given.cpu ?? "v2", PROCESSORS),
  };
}

/** What an application's entry says under `bucket`: true, or more. */
export function parseAppBucket(
  app: string,
  place: string,
  value: unknown,
  reader: Reader,
  faults: Faults,
): AppBucket | undefined {
  if (value === undefined || value === false) return undefined;
  const {
    name = app,
    access = "write",
    load,
  } = value === true ? {} : reader.object(place, value, ["name", "access", "load"]);
  const isName = isText(name) && BUCKET.test(name) && !RESERVED.includes(name);
  if (!isName)
    faults.add(`${place}.name`, name, "a name of 3 to 63 lower-case letters, digits and dashes, not MinIO's own");
  const isCommand = Array.isArray(load) && load.length > 0 && load.every(isText);
  if (load !== undefined && !isCommand)
    faults.add(`${place}.load`, load, 'a command of the application\'s image, such as ["node", "dist/load.js"]');
  return {
    name: isName ? name : "",
    access: reader.oneOf(`${place}.access`, access, ACCESSES),
    ...(isCommand ? { load } : {}),
  };
}
