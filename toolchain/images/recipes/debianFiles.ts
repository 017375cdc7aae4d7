import { lstatSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { Layer } from "../layer";
import { libraryIn, loaderOf, outputOf, resolveInside, sharedLibraries } from "../libraries";
import type { DebianFilesRecipe } from "../lock";
import { addAccounts } from "./accounts";
import type { Assembly, RecipeContext } from "./context";

/** Loaded by programs while they run, and in need of libraries like them. */
const MODULE = /\.so(\.\d+)*$/;

/** A few programs out of Debian packages with exactly the libraries they load: no shell, no package manager around them. */
export async function assembleDebianFiles(
  recipe: DebianFilesRecipe,
  tag: string,
  context: RecipeContext,
): Promise<Assembly> {
  const below = recipe.base === undefined ? [] : await context.base(recipe.base);
  const tree = join(context.scratch, "tree");
  const versions = await context.sources.debian(recipe.packages, tree, recipe.ignore);
  checkVersion(recipe, tag, versions);
  const layer = new Layer();
  if (recipe.base === undefined) addAccounts(layer, recipe.users);
  const libraries = new Set<string>();
  for (const [path, packaged] of Object.entries(recipe.files)) {
    addFile(layer, tree, path, packaged);
    for (const library of await sharedLibraries(tree, packaged)) libraries.add(library);
  }
  const data = Object.entries(recipe.data ?? {}).flatMap((entry) => dataFiles(tree, entry, recipe.without ?? []));
  const loader = Object.values(recipe.files).flatMap((program) => loaderOf(tree, program) ?? [])[0];
  for (const [path, packaged] of data) {
    addFile(layer, tree, path, packaged);
    if (!loader || !MODULE.test(packaged)) continue;
    for (const library of await sharedLibraries(tree, packaged, loader)) libraries.add(library);
  }
  for (const name of recipe.libraries ?? []) {
    const loaded = libraryIn(tree, name);
    for (const library of [loaded, ...(await sharedLibraries(tree, loaded, loader))]) libraries.add(library);
  }
  for (const library of libraries) addFile(layer, tree, library, library);
  for (const [path, id] of Object.entries(recipe.directories ?? {})) layer.directory(path, { uid: id, gid: id });
  if (recipe.applets !== undefined) await addApplets(layer, tree, recipe.applets, recipe.files[recipe.applets] ?? "");
  return { below, layer, inputs: versions };
}

/** A tag is a promise about the version inside: a Debian update that breaks it must be seen, not shipped under the old name. */
function checkVersion(recipe: DebianFilesRecipe, tag: string, versions: Record<string, string>): void {
  const packaged = versions[recipe.version];
  const version = packaged === undefined ? "nothing" : upstreamVersion(packaged);
  if (version === tag) return;
  throw new Error(
    `toolchain/images/lock.json promises version ${tag} of ${recipe.version}, this machine's Debian has ${packaged ?? version}: ` +
      `set the tag to "${version}" there`,
  );
}

/** `1:1.35.0-4+deb12u1+b1` → `1.35.0`: what the makers call it, without Debian's epoch and revision. */
export function upstreamVersion(debianVersion: string): string {
  return debianVersion
    .replace(/^\d+:/, "")
    .replace(/-[^-]*$/, "")
    .replace(/[+~](ds|dfsg).*$/, "");
}

function addFile(layer: Layer, tree: string, path: string, packaged: string): void {
  const file = join(tree, resolveInside(tree, packaged));
  layer.copy(path, file, { mode: lstatSync(file).mode & 0o777 });
}

/** Packages link to one another's files, which this image has only as far as it is told. */
function dataFiles(tree: string, [path, packaged]: [string, string], without: readonly string[]): [string, string][] {
  if (without.includes(packaged)) return [];
  const found = resolveInside(tree, packaged);
  if (!lstatSync(join(tree, found)).isDirectory()) return [[path, packaged]];
  const names = readdirSync(join(tree, found)).sort();
  return names.flatMap((name) => dataFiles(tree, [`${path}/${name}`, `${packaged}/${name}`], without));
}

async function addApplets(layer: Layer, tree: string, path: string, packaged: string): Promise<void> {
  const listed = await outputOf(tree, packaged, ["--list"]);
  for (const applet of listed.split("\n").filter(Boolean)) {
    const link = posix.join(posix.dirname(path), applet);
    if (link !== path) layer.symlink(link, posix.basename(path));
  }
}
