import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Cache, cacheAt, defaultCacheRoot, emptyDirectory } from "../cache";
import { exclusively } from "../exclusive";
import { imageArchitecture, storeImage } from "./image";
import { type BuildableImage, buildableImage, imageLock, type ImageLock, type ImageRef } from "./lock";
import { assembleBinary } from "./recipes/binary";
import type { Assembly, RecipeContext } from "./recipes/context";
import { assembleDebianBase } from "./recipes/debianBase";
import { assembleDebianFiles } from "./recipes/debianFiles";
import { assembleNode } from "./recipes/node";
import { type Sources, toolchainSources } from "./sources";
import { OciStore, type StoredRef } from "./store";

export type { ImageRef } from "./lock";
export { upstreamReference } from "./lock";

/** Part of every recipe hash: raise it when the code makes other bytes from the same recipe. */
const FORMAT = 1;

export interface ImageOptions {
  /** Root of the cache; default $PLATFORM_CACHE, else the user's cache directory. */
  cache?: string;
  lock?: ImageLock;
  sources?: Sources;
  /** Gets a line when a build starts and one when it is done. */
  report?: (line: string) => void;
}

/**
 * The named images in the store of the cache, built from source where they are missing or their recipe has changed.
 * One that is there costs a few file reads.
 */
export async function ensureImages(names: string[], options: ImageOptions = {}): Promise<Record<string, ImageRef>> {
  const build = new ImageBuild(cacheAt(options.cache ?? defaultCacheRoot()), options);
  const refs: Record<string, ImageRef> = {};
  await build.prepare(names);
  for (const name of names) {
    const { repository, tag, digest } = await build.ensure(name);
    refs[name] = { name, repository, tag, digest, reference: `${repository}:${tag}@${digest}` };
  }
  return refs;
}

/** The toolchain items that go into the named images. */
export function imageItems(names: readonly string[], lock: ImageLock = imageLock): string[] {
  const recipes = names.map((name) => buildableImage(name, lock).recipe);
  return [...new Set(recipes.flatMap((recipe) => (recipe.kind === "binary" ? [recipe.item] : [])))];
}

class ImageBuild {
  readonly #store: OciStore;
  readonly #lock: ImageLock;

  constructor(
    readonly cache: Cache,
    readonly options: ImageOptions,
  ) {
    this.#store = new OciStore(join(cache.root, "oci"));
    this.#lock = options.lock ?? imageLock;
  }

  /** Brings the toolchain items of those images that are not there. */
  async prepare(names: readonly string[]): Promise<void> {
    const items = new Set<string>();
    for (const name of names) {
      const image = buildableImage(name, this.#lock);
      if (image.recipe.kind !== "binary" || (await this.#present(image, this.#recipeHash(image)))) continue;
      items.add(image.recipe.item);
    }
    if (items.size > 0) await this.#sources("").prepare([...items]);
  }

  async ensure(name: string): Promise<StoredRef> {
    const image = buildableImage(name, this.#lock);
    const recipe = this.#recipeHash(image);
    const present = await this.#present(image, recipe);
    if (present) return present;
    return exclusively(
      join(this.cache.locks, `image-${name}`),
      async () => (await this.#present(image, recipe)) ?? this.#build(name, image, recipe),
      (holder) => this.#report(`image ${name}: waiting for ${holder}, which builds it`),
    );
  }

  async #present(image: BuildableImage, recipe: string): Promise<StoredRef | undefined> {
    const stored = await this.#store.readRef(image.repository, image.tag);
    return stored?.recipe === recipe && (await this.#store.isWhole(stored.digest)) ? stored : undefined;
  }

  async #build(name: string, image: BuildableImage, recipe: string): Promise<StoredRef> {
    const started = Date.now();
    const log = this.#logOf(name);
    this.#report(`image ${name}: building ${image.repository}:${image.tag}, log in ${log}`);
    await mkdir(this.cache.log, { recursive: true });
    const scratch = emptyDirectory(this.cache, "images", name);
    try {
      const assembly = await this.#assemble(name, image, scratch);
      const stored = await storeImage(this.#store, image, assembly, recipe);
      await this.#store.prune();
      this.#report(`image ${name}: ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
      return stored;
    } catch (cause) {
      throw new Error(`image ${name}: ${(cause as Error).message}\nIts log is ${log}.`, { cause });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  /** Names everything an image is made from that is known before it is built. */
  #recipeHash(image: BuildableImage): string {
    const { title, repository, tag, recipe, run } = image;
    const item = recipe.kind === "binary" ? this.#sources("").itemKey(recipe.item) : "";
    const base = "base" in recipe ? recipe.base : undefined;
    const below = base === undefined ? "" : this.#recipeHash(buildableImage(base, this.#lock));
    const parts = { FORMAT, architecture: imageArchitecture(), title, repository, tag, recipe, run, item, below };
    return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  }

  #assemble(name: string, { recipe, tag }: BuildableImage, scratch: string): Promise<Assembly> {
    const log = this.#logOf(name);
    const context: RecipeContext = {
      sources: this.#sources(log),
      scratch,
      log,
      base: async (below) => (await this.ensure(below)).layers,
      readBelow: (layers, path) => this.#store.readFile(layers, path),
    };
    switch (recipe.kind) {
      case "binary":
        return assembleBinary(recipe, context);
      case "debian-files":
        return assembleDebianFiles(recipe, tag, context);
      case "debian-base":
        return assembleDebianBase(recipe, context);
      case "node":
        return assembleNode(recipe, context);
    }
  }

  #sources(log: string): Sources {
    return this.options.sources ?? toolchainSources(this.cache, log);
  }

  #logOf(name: string): string {
    return join(this.cache.log, `image-${name}.log`);
  }

  #report(line: string): void {
    (this.options.report ?? console.error)(line);
  }
}
