import { readFileSync } from "node:fs";

const MODES = ["standalone", "sentinel", "cluster"] as const;

export interface RedisSettings {
  mode: (typeof MODES)[number];
  /** Of a server, of the sentinels, or of any node of a cluster. */
  host: string;
  port: number;
  /** What the sentinels call the master. */
  sentinelName?: string;
  username?: string;
  password?: string;
  /** Which holds the password, and holds another one when it was changed. */
  passwordFile?: string;
  tls: boolean;
  /** PEM of the authority that signed the server's certificate. */
  ca?: string;
}

/** Reads the connection from the environment; every fault is reported, each with its variable and what is allowed. */
export function redisSettings(environment: Readonly<Record<string, string | undefined>>): RedisSettings {
  const faults: string[] = [];
  const host = environment.REDIS_HOST || undefined;
  if (host === undefined) faults.push("REDIS_HOST is not set: give the name or address of the Redis server");
  const mode = modeFrom(environment.REDIS_MODE, faults);
  const sentinelName = environment.REDIS_SENTINEL_NAME || undefined;
  if (mode === "sentinel" && sentinelName === undefined)
    faults.push("REDIS_SENTINEL_NAME is not set but REDIS_MODE is sentinel: give the name of the master");
  const port = portFrom(environment.REDIS_PORT, faults);
  const tls = flagFrom("REDIS_TLS", environment.REDIS_TLS, faults);
  const ca = authorityFrom(environment.REDIS_CA, tls, faults);
  const username = environment.REDIS_USERNAME || undefined;
  const passwordFile = environment.REDIS_PASSWORD_FILE || undefined;
  const password = passwordFile ? passwordFrom(passwordFile, faults) : environment.REDIS_PASSWORD || undefined;
  if (username !== undefined && password === undefined && passwordFile === undefined) {
    faults.push(`REDIS_USERNAME is "${username}" but REDIS_PASSWORD is not set: give both or neither`);
  }
  if (faults.length > 0 || host === undefined) throw new Error(faults.join("; "));
  return {
    mode,
    host,
    port,
    tls,
    ...(mode === "sentinel" && { sentinelName }),
    ...(username && { username }),
    ...(password && { password }),
    ...(passwordFile && { passwordFile }),
    ...(ca && { ca }),
  };
}

function modeFrom(value: string | undefined, faults: string[]): RedisSettings["mode"] {
  const found = MODES.find((mode) => mode === (value || "standalone"));
  if (found === undefined) faults.push(`REDIS_MODE is "${value}": give standalone, sentinel or cluster`);
  return found ?? "standalone";
}

function portFrom(value: string | undefined, faults: string[]): number {
  const port = Number(value || 6379);
  if (/^\d+$/.test(value || "6379") && port >= 1 && port <= 65535) return port;
  // Kubernetes sets REDIS_PORT=tcp://10.0.0.1:6379 for a Service named redis.
  faults.push(
    `REDIS_PORT is "${value}": give a number from 1 to 65535 (enableServiceLinks: false stops Kubernetes setting it)`,
  );
  return 0;
}

function flagFrom(name: string, value: string | undefined, faults: string[]): boolean {
  if (value && value !== "true" && value !== "false") faults.push(`${name} is "${value}": give true or false`);
  return value === "true";
}

function passwordFrom(file: string, faults: string[]): string | undefined {
  try {
    const password = readFileSync(file, "utf8").trim();
    if (!password) faults.push(`REDIS_PASSWORD_FILE is "${file}", which is empty`);
    return password;
  } catch (cause) {
    faults.push(`REDIS_PASSWORD_FILE is "${file}", which cannot be read: ${(cause as NodeJS.ErrnoException).code}`);
    return undefined;
  }
}

/** The certificate itself, or the file that holds it. */
function authorityFrom(file: string | undefined, tls: boolean, faults: string[]): string | undefined {
  if (!file) return undefined;
  const given = file.startsWith("-----BEGIN ");
  if (!tls) {
    faults.push(
      `REDIS_CA is ${given ? "given" : `"${file}"`} but REDIS_TLS is not true: set it, or leave REDIS_CA out`,
    );
    return undefined;
  }
  if (given) return file;
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    faults.push(`REDIS_CA is "${file}", which cannot be read: ${(cause as NodeJS.ErrnoException).code}`);
    return undefined;
  }
}
