import { existsSync } from "node:fs";
import { join } from "node:path";

export interface Settings {
  port: number;
  /** Where to listen; everywhere unless said. */
  host?: string;
  store: StoreSettings;
}

export interface StoreSettings {
  endpoint: URL;
  region: string;
  bucket: string;
  user: string;
  password: string;
  /** With tls.crt and tls.key, by which it shows who it is, and ca.crt, by which it knows the store. Needed for https. */
  certificates?: string;
}

/** In S3_CERTIFICATES. */
export const CERTIFICATE_FILES = ["tls.crt", "tls.key", "ca.crt"] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the environment; every fault is reported, each with its variable and what is allowed. */
export function settings(environment: Environment): Settings {
  const faults: string[] = [];
  const store = storeFrom(environment, faults);
  const port = portFrom(environment.PORT || "3000", faults);
  if (faults.length > 0) throw new Error(faults.join("; "));
  return { port, store, ...(environment.HOST && { host: environment.HOST }) };
}

/** Of what loads the bucket, which listens nowhere. */
export function storeSettings(environment: Environment): StoreSettings {
  const faults: string[] = [];
  const store = storeFrom(environment, faults);
  if (faults.length > 0) throw new Error(faults.join("; "));
  return store;
}

function storeFrom(environment: Environment, faults: string[]): StoreSettings {
  const needed = (name: string, what: string): string => {
    const value = environment[name]?.trim() ?? "";
    if (!value) faults.push(`${name} is not set: give ${what}`);
    return value;
  };
  const store = {
    endpoint: endpointFrom(needed("AWS_ENDPOINT_URL_S3", "the address of the store"), faults),
    region: environment.AWS_REGION || "us-east-1",
    bucket: needed("S3_BUCKET", "the bucket to serve"),
    user: needed("AWS_ACCESS_KEY_ID", "the name of a key"),
    password: needed("AWS_SECRET_ACCESS_KEY", "the key"),
  };
  if (store.endpoint.protocol !== "https:") return store;
  const certificates = needed("S3_CERTIFICATES", "the folder with tls.crt, tls.key and ca.crt");
  const missing = CERTIFICATE_FILES.filter((file) => certificates && !existsSync(join(certificates, file)));
  if (missing.length > 0) faults.push(`S3_CERTIFICATES is "${certificates}", which has no ${missing.join(", ")}`);
  return { ...store, certificates };
}

function endpointFrom(value: string, faults: string[]): URL {
  const sound = /^https?:\/\/[^/]+\/?$/.test(value) && URL.canParse(value);
  if (value && !sound) faults.push(`AWS_ENDPOINT_URL_S3 is "${value}": give http or https, a host and a port`);
  return new URL(sound ? value : "http://nowhere");
}

function portFrom(value: string, faults: string[]): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 1 && number <= 65_535) return number;
  faults.push(`PORT is "${value}": give a number from 1 to 65535`);
  return 1;
}
