import * as fs from "node:fs";
import * as path from "node:path";
import type { Decision } from "./plan";
import type { Settings } from "./settings";

/** However many items are built, their caches are pruned in between. */
const PEAK_GB = 25;
/** A finished item from Go or Debian: binaries alone. */
const KEPT_GB = 0.2;

/** Gigabytes that making these items needs at its peak. */
export function diskNeeded(decisions: ReadonlyMap<string, Decision>, settings: Settings): number {
  let downloads = 0;
  let builds = 0;
  let kept = 0;
  for (const [name, decision] of decisions) {
    if (decision.how !== "make") continue;
    const item = settings.lock.items[name];
    if (decision.origin === "download") downloads += (item?.download?.diskMB ?? 0) / 1000;
    else if (item?.source) {
      kept += KEPT_GB;
      if (item.source.kind === "debian") downloads += item.source.diskGB;
      else builds += item.source.diskGB;
    }
  }
  return Math.min(builds, PEAK_GB - 5) + downloads + kept;
}

/** Gigabytes free where the cache lies or will lie. */
export function diskFree(directory: string): number {
  let existing = directory;
  while (!fs.existsSync(existing)) existing = path.dirname(existing);
  const { bavail, bsize } = fs.statfsSync(existing);
  return (bavail * bsize) / 1e9;
}

export function checkDisk(decisions: ReadonlyMap<string, Decision>, settings: Settings): void {
  const needed = diskNeeded(decisions, settings);
  if (needed === 0) return;
  const free = diskFree(settings.cache.root);
  if (free >= needed) return;
  throw new Error(
    `not enough disk: making the missing items takes up to ${needed.toFixed(1)} GB, ${settings.cache.root} has ` +
      `${free.toFixed(1)} GB free. Free some (npm run toolchain -- prune), or set PLATFORM_CACHE to a directory on a larger disk`,
  );
}
