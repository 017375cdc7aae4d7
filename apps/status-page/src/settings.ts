import { readFileSync } from "node:fs";

/** What is watched. */
export interface Endpoint {
  readonly environment: string;
  readonly name: string;
  /** Asked for; up is what answers 2xx. */
  readonly url: URL;
  /** Where to connect in place of the URL's host, whose name stays in the request and in TLS. */
  readonly connect?: { readonly host: string; readonly port: number };
}

export interface Settings {
  readonly port: number;
  /** Where to listen; everywhere unless said. */
  readonly host?: string;
  readonly endpoints: readonly Endpoint[];
  /** Authorities to trust in place of the usual ones, PEM. */
  readonly ca?: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Where the history is kept; without it, it goes with the process. */
  readonly file?: string;
}

/** Bounds memory, and what a round sends at once. */
const MOST_ENDPOINTS = 200;
const SHAPE = 'objects with "environment", "name", "url" (http or https) and perhaps "connect" ("host:port")';

/** Names an endpoint in the history. */
export const keyOf = ({ environment, name }: Endpoint): string => `${environment}/${name}`;

/** Reads the environment; every fault is reported, each with its variable and what is allowed. */
export function settings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const faults: string[] = [];
  const number = (name: string, usual: string, least: number, most: number): number =>
    integer(name, environment[name] || usual, least, most, faults);
  const port = number("PORT", "3000", 1, 65_535);
  const endpoints = endpointsFrom(environment.STATUS_ENDPOINTS, faults);
  const interval = number("STATUS_INTERVAL", "15", 1, 3600);
  const timeout = number("STATUS_TIMEOUT", String(Math.min(5, interval)), 1, 60);
  if (timeout > interval)
    faults.push(`STATUS_TIMEOUT is ${timeout}: give no more than STATUS_INTERVAL, which is ${interval}`);
  const ca = authority(environment.STATUS_CA, faults);
  if (faults.length > 0) throw new Error(faults.join("; "));
  return {
    port,
    endpoints,
    intervalMs: interval * 1000,
    timeoutMs: timeout * 1000,
    ...(environment.HOST && { host: environment.HOST }),
    ...(environment.STATUS_FILE && { file: environment.STATUS_FILE }),
    ...(ca && { ca }),
  };
}

function integer(name: string, value: string, least: number, most: number, faults: string[]): number {
  const found = Number(value);
  if (/^\d+$/.test(value) && found >= least && found <= most) return found;
  faults.push(`${name} is "${value}": give a number from ${least} to ${most}`);
  return least;
}

function endpointsFrom(text: string | undefined, faults: string[]): Endpoint[] {
  let list: unknown;
  try {
    list = JSON.parse(text ?? "");
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list) || list.length > MOST_ENDPOINTS) {
    faults.push(`STATUS_ENDPOINTS is not a list: give up to ${MOST_ENDPOINTS} ${SHAPE}, as JSON`);
    return [];
  }
  const endpoints = list.flatMap((each: unknown, index) => {
    const found = endpointFrom(each);
    if (!found) faults.push(`STATUS_ENDPOINTS[${index}] is ${JSON.stringify(each)}: give ${SHAPE}`);
    return found ?? [];
  });
  const keys = endpoints.map(keyOf);
  for (const key of new Set(keys.filter((each, index) => keys.indexOf(each) < index)))
    faults.push(`STATUS_ENDPOINTS names ${key} more than once: give each a name of its own`);
  return endpoints;
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function endpointFrom(value: unknown): Endpoint | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { environment, name, url, connect } = value as Record<string, unknown>;
  if (!isText(environment) || !isText(name) || !isText(url) || !/^https?:\/\//.test(url) || !URL.canParse(url))
    return undefined;
  if (connect === undefined) return { environment, name, url: new URL(url) };
  const [, host, port] = (isText(connect) && /^([a-z0-9.-]+):(\d{1,5})$/i.exec(connect)) || [];
  return host ? { environment, name, url: new URL(url), connect: { host, port: Number(port) } } : undefined;
}

function authority(value: string | undefined, faults: string[]): string | undefined {
  if (!value) return undefined;
  if (value.startsWith("-----BEGIN")) return value;
  try {
    return readFileSync(value, "utf8");
  } catch (error) {
    faults.push(
      `STATUS_CA is neither a certificate nor a file that can be read (${(error as NodeJS.ErrnoException).code})`,
    );
    return undefined;
  }
}
