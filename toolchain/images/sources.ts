import * as path from "node:path";
import { ensure } from "..";
import { type Cache } from "../cache";
import { extractDebian } from "../debian";
import { storeKey } from "../hash";
import { lockItem, readLock, TOOLCHAIN_DIRECTORY } from "../lock";
import { thisPlatform } from "../platform";

/** Where recipes get what they put into images: the toolchain in real runs, a directory of fakes in tests. */
export interface Sources {
  /** Names the content of a toolchain item without building it. */
  itemKey(item: string): string;
  /** Builds what is missing of these together: what they have in common is compiled once only within one go. */
  prepare(items: readonly string[]): Promise<void>;
  /** The absolute path of an item's binary, built if it is missing. */
  binary(item: string, name: string): Promise<string>;
  /** Unpacks Debian packages and all they load into a directory; gives versions by package name. */
  debian(packages: readonly string[], destination: string, ignore?: readonly string[]): Promise<Record<string, string>>;
}

export function toolchainSources(cache: Cache, log: string): Sources {
  // What this machine happens to have is no part of the lock, so it must not get into an image.
  const options = { cache: cache.root, present: false };
  return {
    itemKey: (item) => {
      const locked = lockItem(readLock(), item);
      const recipes = path.join(TOOLCHAIN_DIRECTORY, "go");
      return storeKey(item, locked, locked.source ? "source" : "download", thisPlatform(), recipes);
    },
    prepare: async (items) => {
      await ensure(items, options);
    },
    binary: async (item, name) => (await ensure([item], options)).bin(name),
    debian: async (packages, destination, ignore = []) => {
      const extracted = await extractDebian(packages, destination, { libc: "extracted", ignore, log, cache });
      return Object.fromEntries(extracted.map(({ name, version }) => [name, version]));
    },
  };
}
