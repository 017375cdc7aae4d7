import * as fs from "node:fs";
import * as path from "node:path";
import { type Cache, emptyDirectory } from "./cache";
import { isExecutable } from "./searchPath";

/** Written last into a finished item; its modification time tells when the item was last asked for. */
const RECORD = "item.json";
const TOUCH_AFTER_MS = 24 * 3600 * 1000;

/** The directory of a finished item, or undefined. Whatever is in the store under its name is complete. */
export function findStored(cache: Cache, key: string): string | undefined {
  const directory = path.join(cache.store, key);
  const record = path.join(directory, RECORD);
  const state = fs.statSync(record, { throwIfNoEntry: false });
  if (!state) return undefined;
  if (Date.now() - state.mtimeMs > TOUCH_AFTER_MS) touchQuietly(record);
  return directory;
}

/**
 * Fills an item's directory beside the store and moves it in by one rename, so that a kill at any moment leaves
 * either nothing or all of it. The caller holds the item's lock.
 */
export async function fillStore(
  cache: Cache,
  key: string,
  provides: readonly string[],
  fill: (stage: string, final: string) => Promise<Record<string, unknown>>,
): Promise<string> {
  const final = path.join(cache.store, key);
  const stage = emptyDirectory(cache, "stage", key);
  fs.mkdirSync(path.join(stage, "bin"));
  const facts = await fill(stage, final);
  const missing = provides.filter((name) => !isProvided(path.join(stage, "bin", name), stage, final));
  if (missing.length > 0) throw new Error(`what was made holds no executable ${missing.join(", ")} in bin/`);
  fs.writeFileSync(path.join(stage, RECORD), `${JSON.stringify(facts, undefined, 2)}\n`);
  fs.mkdirSync(cache.store, { recursive: true });
  fs.rmSync(final, { recursive: true, force: true });
  fs.renameSync(stage, final);
  return final;
}

/** Links in a stage already point to where they will be; they are judged by where that is now. */
function isProvided(file: string, stage: string, final: string): boolean {
  const link = fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink();
  if (!link) return isExecutable(file);
  const target = fs.readlinkSync(file);
  return isExecutable(target.startsWith(`${final}/`) ? path.join(stage, path.relative(final, target)) : file);
}

interface StoredItem {
  readonly key: string;
  readonly directory: string;
  readonly lastUsed: Date;
}

export function storedItems(cache: Cache): StoredItem[] {
  if (!fs.existsSync(cache.store)) return [];
  return fs
    .readdirSync(cache.store)
    .sort()
    .flatMap((key) => {
      const directory = path.join(cache.store, key);
      const state = fs.statSync(path.join(directory, RECORD), { throwIfNoEntry: false });
      return state ? [{ key, directory, lastUsed: state.mtime }] : [];
    });
}

function touchQuietly(file: string): void {
  const now = new Date();
  try {
    fs.utimesSync(file, now, now);
  } catch {
    // A cache shared read-only: it is pruned by whoever owns it.
  }
}
