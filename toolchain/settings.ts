import * as os from "node:os";
import * as path from "node:path";
import { type Cache, cacheAt, defaultCacheRoot } from "./cache";
import { RETRY_PAUSE_MS } from "./download";
import { type Lock, readLock, TOOLCHAIN_DIRECTORY } from "./lock";
import { type Platform, thisPlatform } from "./platform";
import { type Progress, consoleProgress } from "./progress";

const SOURCES = ["auto", "download", "build"] as const;
type SourceChoice = (typeof SOURCES)[number];

export interface EnsureOptions {
  /** Root of the cache; default $PLATFORM_CACHE, else the user's cache directory. */
  readonly cache?: string;
  readonly lock?: Lock;
  /** Directory of the Go recipes. */
  readonly recipes?: string;
  /** Default $PLATFORM_SOURCE, else auto: download where the publisher answers, build where not. */
  readonly source?: SourceChoice;
  /** False skips what the machine already has. Default $PLATFORM_PRESENT=ignore, else true. */
  readonly present?: boolean;
  /** Default process.env. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  readonly retryPauseMs?: number;
}

export interface Settings {
  readonly cache: Cache;
  readonly lock: Lock;
  readonly recipes: string;
  readonly source: SourceChoice;
  readonly present: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly retryPauseMs: number;
  readonly platform: Platform;
  /** Stands in for every publisher's host: a mirror, or the tests' own server. */
  readonly downloadOrigin: string | undefined;
  /** Go caches given by the user are shared, never pruned. */
  readonly goCache: string | undefined;
  readonly userPulumiHome: string;
}

export function settingsFrom(options: EnsureOptions = {}): Settings {
  const env = options.env ?? process.env;
  return {
    cache: cacheAt(options.cache ?? defaultCacheRoot(env)),
    lock: options.lock ?? readLock(),
    recipes: options.recipes ?? path.join(TOOLCHAIN_DIRECTORY, "go"),
    source: options.source ?? sourceChoice(env["PLATFORM_SOURCE"]),
    present: options.present ?? env["PLATFORM_PRESENT"] !== "ignore",
    env,
    progress: options.progress ?? consoleProgress(),
    retryPauseMs: options.retryPauseMs ?? RETRY_PAUSE_MS,
    platform: thisPlatform(),
    downloadOrigin: env["PLATFORM_DOWNLOAD_ORIGIN"]?.replace(/\/+$/, "") || undefined,
    goCache: env["PLATFORM_GO_CACHE"] || undefined,
    userPulumiHome: env["PULUMI_HOME"] || path.join(env["HOME"] || os.homedir(), ".pulumi"),
  };
}

function sourceChoice(value: string | undefined): SourceChoice {
  if (!value) return "auto";
  const choice = SOURCES.find((known) => known === value);
  if (!choice) throw new Error(`PLATFORM_SOURCE=${value}: allowed are ${SOURCES.join(", ")}`);
  return choice;
}
