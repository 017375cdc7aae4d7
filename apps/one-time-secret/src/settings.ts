import { type RedisSettings, redisSettings } from "./redis/settings";

export interface Settings {
  port: number;
  /** Where to listen; everywhere unless said. */
  host?: string;
  /** The first encrypts, all decrypt. */
  keys: string[];
  /** How many replicas must have a write before it is confirmed; unless said, one where one follows. */
  replicas?: number;
  redis: RedisSettings;
}

const SHORTEST_KEY = 32;

/** Reads the environment; every fault is reported, each with its variable and what is allowed. */
export function settings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const faults: string[] = [];
  const port = integer("PORT", environment.PORT || "3000", 1, 65_535, faults);
  const keys = ["OTS_KEY", "OTS_KEY_PREVIOUS"].flatMap((name) => keyFrom(name, environment[name], faults));
  const replicas =
    environment.OTS_REPLICAS && integer("OTS_REPLICAS", environment.OTS_REPLICAS, 0, 10, faults, " or nothing");
  const redis = redisSettings(environment, faults);
  if (faults.length > 0) throw new Error(faults.join("; "));
  return {
    port,
    keys,
    redis,
    ...(environment.HOST && { host: environment.HOST }),
    ...(typeof replicas === "number" && { replicas }),
  };
}

function integer(name: string, value: string, least: number, most: number, faults: string[], or = ""): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= least && number <= most) return number;
  faults.push(`${name} is "${value}": give a number from ${least} to ${most}${or}`);
  return least;
}

function keyFrom(name: string, value: string | undefined, faults: string[]): string[] {
  const key = value?.trim() ?? "";
  if (key.length >= SHORTEST_KEY) return [key];
  if (key) faults.push(`${name} has ${key.length} characters: give at least ${SHORTEST_KEY}, made at random`);
  else if (name === "OTS_KEY")
    faults.push(`OTS_KEY is not set: give at least ${SHORTEST_KEY} characters made at random`);
  return [];
}
