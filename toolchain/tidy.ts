import * as path from "node:path";
import { removeTree } from "./cache";
import { exclusively, holderOf } from "./exclusive";
import { dropGoCaches } from "./goCaches";
import type { Settings } from "./settings";

/**
 * After the last item of a run: what built the items is not kept, only what runs. While another run holds a lock, it
 * is the one to clean up.
 */
export async function tidy(settings: Settings): Promise<void> {
  await whenIdle(path.join(settings.cache.locks, "go-build"), () => dropGoCaches(settings));
  await whenIdle(path.join(settings.cache.locks, "apt"), () =>
    removeTree(path.join(settings.cache.build, "apt", "archives")),
  );
}

async function whenIdle(lock: string, work: () => void): Promise<void> {
  if (holderOf(lock)) return;
  await exclusively(lock, () => Promise.resolve(work()));
}
