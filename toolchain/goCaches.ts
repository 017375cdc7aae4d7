import * as fs from "node:fs";
import * as path from "node:path";
import { removeTree } from "./cache";
import type { Settings } from "./settings";

/** Looked at between two items: one adds at most about 7 GB, so the peak stays under 25. */
const BOUND_BYTES = 17e9;
/** The share of the bound that compiled packages may keep when the modules go. */
const KEEP_COMPILED = 0.7;

interface GoCaches {
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
export function boundGoCaches(settings: Settings, boundBytes = BOUND_BYTES): void {
  const caches = goCaches(settings);
  removeTree(caches.temporary);
  if (settings.goCache) return;
  const compiled = treeSize(caches.build);
  if (compiled + treeSize(caches.modules) <= boundBytes) return;
  // Modules are fetched again in seconds and what was compiled from them stays valid; compiling takes minutes.
  removeTree(caches.modules);
  if (compiled > boundBytes * KEEP_COMPILED) removeTree(caches.build);
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
