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
  /** PEM of the authority that signed the servers' certificates. */
  ca?: string;
}

/** The connection as the platform hands it over; faults are noted, each with its variable and what is allowed. */
export function redisSettings(given: Readonly<Record<string, string | undefined>>, faults: string[]): RedisSettings {
  const { REDIS_HOST: host = "", REDIS_USERNAME: username, REDIS_PASSWORD_FILE: passwordFile } = given;
  const password = passwordFile ? passwordFrom(passwordFile, faults) : given.REDIS_PASSWORD;
  if (!host) faults.push("REDIS_HOST is not set: give the name or address of the Redis server");
  if (username && !password && !passwordFile)
    faults.push(`REDIS_USERNAME is "${username}" but REDIS_PASSWORD is not set: give both or neither`);
  const mode = MODES.find((each) => each === (given.REDIS_MODE || "standalone"));
  if (!mode) faults.push(`REDIS_MODE is "${given.REDIS_MODE}": give ${MODES.join(", ")}`);
  const sentinelName = mode === "sentinel" ? given.REDIS_SENTINEL_NAME : undefined;
  if (mode === "sentinel" && !sentinelName)
    faults.push("REDIS_SENTINEL_NAME is not set but REDIS_MODE is sentinel: give the name of the master");
  const port = given.REDIS_PORT || "6379";
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    // Kubernetes sets REDIS_PORT=tcp://10.0.0.1:6379 for a Service named redis.
    faults.push(`REDIS_PORT is "${port}": give a number from 1 to 65535`);
  const tls = given.REDIS_TLS || "false";
  if (tls !== "true" && tls !== "false") faults.push(`REDIS_TLS is "${tls}": give true or false`);
  const ca = authority(given.REDIS_CA, tls === "true", faults);
  return {
    mode: mode ?? "standalone",
    host,
    port: Number(port),
    tls: tls === "true",
    ...(sentinelName && { sentinelName }),
    ...(username && { username }),
    ...(password && { password }),
    ...(passwordFile && { passwordFile }),
    ...(ca && { ca }),
  };
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
function authority(given: string | undefined, tls: boolean, faults: string[]): string | undefined {
  if (!given) return undefined;
  const inline = given.startsWith("-----BEGIN ");
  if (!tls) {
    faults.push(
      `REDIS_CA is ${inline ? "given" : `"${given}"`} but REDIS_TLS is not true: set it, or leave REDIS_CA out`,
    );
    return undefined;
  }
  if (inline) return given;
  try {
    return readFileSync(given, "utf8");
  } catch (cause) {
    faults.push(`REDIS_CA is "${given}", which cannot be read: ${(cause as NodeJS.ErrnoException).code}`);
    return undefined;
  }
}
