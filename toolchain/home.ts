import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Cache, removeTree } from "./cache";

/** Where the binaries of one ensured item lie. */
export interface Place {
  readonly item: string;
  readonly plugin?: { readonly name: string; readonly version: string };
  readonly onPath: boolean;
  readonly files: Readonly<Record<string, string>>;
}

interface Home {
  /** One directory with a link to every binary. */
  readonly path: string;
  /** A PULUMI_HOME that holds exactly the ensured plugins. */
  readonly pulumiHome: string;
}

/**
 * Composes the ensured items into a PATH directory and a PULUMI_HOME, named by what they link to: two clones with the
 * same items share them, and a changed item gives a new home under the feet of nobody.
 */
export function composeHome(cache: Cache, places: readonly Place[]): Home {
  const content = JSON.stringify(
    places.map((place) => [place.item, place.plugin ?? null, place.onPath, Object.entries(place.files)]),
  );
  const root = path.join(cache.homes, crypto.createHash("sha256").update(content).digest("hex").slice(0, 12));
  if (!fs.existsSync(root)) {
    const stage = `${root}.${process.pid}`;
    removeTree(stage);
    for (const place of places) link(stage, place);
    for (const directory of ["bin", "plugins"]) fs.mkdirSync(path.join(stage, directory), { recursive: true });
    moveInto(stage, root);
  }
  return { path: path.join(root, "bin"), pulumiHome: root };
}

function link(stage: string, place: Place): void {
  if (!place.onPath) return;
  for (const [name, file] of Object.entries(place.files)) {
    const { plugin } = place;
    const directory = plugin ? path.join("plugins", `resource-${plugin.name}-v${plugin.version}`) : "bin";
    fs.mkdirSync(path.join(stage, directory), { recursive: true });
    const target = path.join(stage, directory, name);
    // Two items may bring the same package's executables (containerd with docker); either serves.
    if (!fs.existsSync(target)) fs.symlinkSync(file, target);
  }
}

function moveInto(stage: string, root: string): void {
  try {
    fs.renameSync(stage, root);
  } catch (error) {
    if (!fs.existsSync(root)) throw error;
    removeTree(stage); // Another run composed the same home in the meantime.
  }
}
