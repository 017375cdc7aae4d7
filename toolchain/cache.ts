import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** Where everything the toolchain keeps lies: outside the clone, shared between clones. */
export interface Cache {
  readonly root: string;
  /** Finished, immutable items: `<item>-<version>-<hash>`. */
  readonly store: string;
  /** Composed PULUMI_HOME and PATH directories; only links into the store. */
  readonly homes: string;
  readonly log: string;
  readonly locks: string;
  /** Everything that may be deleted at any time at the price of a slower next run. */
  readonly build: string;
}

export function defaultCacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const base = env["XDG_CACHE_HOME"] || path.join(env["HOME"] || os.homedir(), ".cache");
  return path.resolve(env["PLATFORM_CACHE"] || path.join(base, "platform"));
}

/** Directories are made by whoever writes into them, so that looking (doctor, list) leaves no trace. */
export function cacheAt(root: string): Cache {
  return {
    root,
    store: path.join(root, "store"),
    homes: path.join(root, "homes"),
    log: path.join(root, "log"),
    locks: path.join(root, "locks"),
    build: path.join(root, "build"),
  };
}

/** A directory of our own below `build/` for something half-finished; leftovers of a killed run are removed first. */
export function emptyDirectory(cache: Cache, kind: string, name: string): string {
  const directory = path.join(cache.build, kind, name);
  removeTree(directory);
  fs.mkdirSync(directory, { recursive: true });
  return directory;
}

export function removeTree(directory: string): void {
  fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}
