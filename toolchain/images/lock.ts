import lockFile from "./lock.json";

/** Where an image is pulled from; the digest is there when it is known, and pins it. */
export interface ImageName {
  repository: string;
  tag: string;
  digest?: string;
}

export interface ImageRef {
  name: string;
  repository: string;
  tag: string;
  digest: string;
  /** `repository:tag@digest` */
  reference: string;
}

/** Static binaries of one toolchain item; `files` maps the path in the image to the binary's name. */
export interface BinaryRecipe {
  kind: "binary";
  item: string;
  files: Record<string, string>;
}

/** Chosen files out of Debian packages with the shared libraries they load; `files` maps image path to package path. */
export interface DebianFilesRecipe {
  kind: "debian-files";
  /** Another image of the lock that lies below, with its programs and accounts. */
  base?: string;
  packages: string[];
  /** Packages left out, with everything only they need. */
  ignore?: string[];
  /** The package whose upstream version is the image's tag. */
  version: string;
  files: Record<string, string>;
  /** What is no program: files, or directories with all below them; links become what they point to. */
  data?: Record<string, string>;
  /** Shared libraries, by name, that a program loads only when it comes to need them. */
  libraries?: string[];
  /** Package paths below `data` that stay out. */
  without?: string[];
  /** A multi-call binary (a path in the image) that gets a link per applet beside it. */
  applets?: string;
  users: Record<string, number>;
  /** Directories that belong to a user id. */
  directories?: Record<string, number>;
}

/** The smallest Debian that can install packages, with some of them in it. */
export interface DebianBaseRecipe {
  kind: "debian-base";
  suite: string;
  packages?: string[];
}

/** Node.js and npm from their npm packages, on another image of the lock. */
export interface NodeRecipe {
  kind: "node";
  base: string;
  node: string;
  npm: string;
  integrity: Record<string, string>;
}

export type Recipe = BinaryRecipe | DebianFilesRecipe | DebianBaseRecipe | NodeRecipe;

/** What a container of the image runs when its pod does not say. */
export interface RunDefaults {
  user?: string;
  entrypoint?: string[];
  command?: string[];
  workdir?: string;
}

export interface LockedImage extends ImageName {
  title: string;
  upstream: ImageName;
  /** Absent where its publisher alone has it. */
  recipe?: Recipe;
  run: RunDefaults;
}

export type BuildableImage = LockedImage & { recipe: Recipe };

export type ImageLock = Record<string, LockedImage>;

export const imageLock = lockFile as ImageLock;

export function lockedImage(name: string, lock: ImageLock = imageLock): LockedImage {
  const image = Object.hasOwn(lock, name) ? lock[name] : undefined;
  if (image) return image;
  const known = Object.keys(lock).join(", ");
  throw new Error(`no image "${name}" in toolchain/images/lock.json: it names ${known}`);
}

/** The image with its recipe. */
export function buildableImage(name: string, lock: ImageLock = imageLock): BuildableImage {
  const { recipe, ...image } = lockedImage(name, lock);
  if (recipe) return { ...image, recipe };
  throw new Error(
    `image "${name}" cannot be built here: toolchain/images/lock.json has no recipe, as its publisher alone has it (${upstreamReference(name, lock)})`,
  );
}

/** The image as its makers publish it, for machines that reach their registry. */
export function upstreamReference(name: string, lock: ImageLock = imageLock): string {
  const { repository, tag, digest } = lockedImage(name, lock).upstream;
  return digest === undefined ? `${repository}:${tag}` : `${repository}:${tag}@${digest}`;
}
