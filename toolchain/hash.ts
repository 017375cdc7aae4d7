import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { DEFINITIONS_FORMAT } from "./crdOrigins";
import type { LockItem } from "./lock";
import { osRelease } from "./osRelease";
import { type Platform, platformKey } from "./platform";

/** Raised when a change to this code lays out finished items differently: the old ones are then made anew. */
const FORMAT = 1;

export type Origin = "download" | "source";

/** The name of an item's directory in the store: what it was made from decides it, so a change never meets a stale item. */
export function storeKey(name: string, item: LockItem, origin: Origin, platform: Platform, recipes: string): string {
  const hash = crypto.createHash("sha256");
  const made = origin === "download" ? item.download : item.source;
  hash.update(JSON.stringify([FORMAT, origin, platformKey(platform), item.provides, item.plugin ?? null, made]));
  if (item.definitions) hash.update(String(DEFINITIONS_FORMAT));
  const version = origin === "download" ? (item.download?.version ?? item.version) : sourceVersion(hash, item, recipes);
  return `${name}-${version}-${hash.digest("hex").slice(0, 12)}`;
}

function sourceVersion(hash: crypto.Hash, item: LockItem, recipes: string): string {
  if (item.source?.kind === "debian") {
    hash.update(distribution());
    return "debian";
  }
  if (item.source?.kind === "go")
    for (const recipe of item.source.recipes) hashTree(hash, path.join(recipes, recipe.name));
  return item.version;
}

/** Packages are linked against their own release's libraries: after a release upgrade they are fetched anew. */
const distribution = (): string => /^VERSION_CODENAME=.*$/m.exec(osRelease())?.[0] ?? "";

function hashTree(hash: crypto.Hash, root: string): void {
  for (const file of filesBelow(root)) {
    const content = fs.readFileSync(path.join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
}

/** A recipe that is not there has no files; whether that matters is for whoever wants to build it. */
function filesBelow(root: string): string[] {
  if (!fs.existsSync(root)) return [];
  return fs
    .readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}
