import * as fs from "node:fs";
import * as path from "node:path";
import { removeTree } from "./cache";
import type { Settings } from "./settings";

/** Above these, a cache is dropped between two items: one item adds at most about 7 GB, and the peak stays under 25. */
const BUILD_BOUND_GB = 9;
const MODULES_BOUND_GB = 7;
const GB = 1e9;

export interface GoCaches {
  readonly build: string;
  readonly modules: string;
  readonly temporary: string;
}

/** Caches of our own, so that the user's are neither filled nor pruned; unless PLATFORM_GO_CACHE names shared ones. */
export function goCaches(settings: Settings): GoCaches {
  const root = settings.goCache ?? path.join(settings.cache.build, "go");
  return {
    build: path.join(root, "build"),
    modules: path.join(root, "mod"),
    temporary: path.join(settings.cache.build, "tmp"),
  };
}

/** Called while no build runs. */
export function boundGoCaches(settings: Settings): void {
  const caches = goCaches(settings);
  removeTree(caches.temporary);
  if (settings.goCache) return;
  if (treeSize(caches.build) > BUILD_BOUND_GB * GB) removeTree(caches.build);
  if (treeSize(caches.modules) > MODULES_BOUND_GB * GB) removeTree(caches.modules);
}

/** After the last item: what built the items is not kept, only what runs. */
export function dropGoCaches(settings: Settings): void {
  const caches = goCaches(settings);
  removeTree(caches.temporary);
  if (!settings.goCache) removeTree(path.dirname(caches.build));
}

/** Bytes on disk below a directory; what vanishes meanwhile counts as nothing. */
export function treeSize(root: string): number {
  let total = 0;
  const pending = [root];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    let entries: fs.Dirent[] = [];
    try {
      entries = fs.readdirSync(directory, { withFileTypes: true });
    } catch {
      continue;
    }
    for (const entry of entries) {
      const file = path.join(directory, entry.name);
      if (entry.isDirectory()) pending.push(file);
      else total += (fs.lstatSync(file, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
    }
  }
  return total;
}
