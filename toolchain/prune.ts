import * as fs from "node:fs";
import * as path from "node:path";
import { removeTree } from "./cache";
import { holderOf } from "./exclusive";
import { treeSize } from "./goCaches";
import { storeKey } from "./hash";
import { isAlive } from "./processes";
import type { Settings } from "./settings";
import { storedItems } from "./store";

const UNUSED_DAYS = 7;

interface Pruned {
  readonly removed: readonly { readonly path: string; readonly bytes: number }[];
  /** What was left alone, and why. */
  readonly kept: readonly string[];
}

/**
 * Removes what built the items, and items that this clone's lock no longer names. Another clone may still name them:
 * without `all` they go only when nobody has asked for them in a week.
 */
export function prune(settings: Settings, options: { readonly all: boolean }): Pruned {
  const { cache } = settings;
  const removed: { path: string; bytes: number }[] = [];
  const kept: string[] = [];
  const remove = (target: string): void => {
    const bytes = treeSize(target);
    removeTree(target);
    removed.push({ path: target, bytes });
  };
  const busy = runInProgress(cache.locks);
  if (busy !== undefined) kept.push(`${cache.build}: process ${busy} is working in it`);
  else if (fs.existsSync(cache.build)) remove(cache.build);
  const wanted = wantedKeys(settings);
  const oldest = Date.now() - UNUSED_DAYS * 24 * 3600 * 1000;
  for (const { key, directory, lastUsed } of storedItems(cache)) {
    if (wanted.has(key)) continue;
    if (options.all || lastUsed.getTime() < oldest) remove(directory);
    else
      kept.push(`${directory}: not of this lock, but used ${lastUsed.toISOString().slice(0, 10)} (--all removes it)`);
  }
  for (const home of danglingHomes(cache.homes)) remove(home);
  return { removed, kept };
}

function wantedKeys(settings: Settings): Set<string> {
  const keys = new Set<string>();
  for (const [name, item] of Object.entries(settings.lock.items))
    for (const origin of ["download", "source"] as const)
      if (item[origin]) keys.add(storeKey(name, item, origin, settings.platform, settings.recipes));
  return keys;
}

function runInProgress(locks: string): number | undefined {
  for (const name of fs.existsSync(locks) ? fs.readdirSync(locks) : []) {
    const holder = holderOf(path.join(locks, name));
    if (holder && isAlive(holder) !== false) return holder.pid;
  }
  return undefined;
}

/** Homes of which a link leads nowhere any more. */
function danglingHomes(homes: string): string[] {
  if (!fs.existsSync(homes)) return [];
  return fs
    .readdirSync(homes)
    .map((name) => path.join(homes, name))
    .filter((home) =>
      fs.readdirSync(home, { recursive: true, encoding: "utf8" }).some((entry) => isDangling(path.join(home, entry))),
    );
}

function isDangling(file: string): boolean {
  return (fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false) && !fs.existsSync(file);
}
