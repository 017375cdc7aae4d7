import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Layer } from "../layer";
import { interpreter } from "../libraries";
import type { BinaryRecipe } from "../lock";
import { addAccounts } from "./accounts";
import type { Assembly, RecipeContext } from "./context";

const NONROOT = 65532;

/** A static binary, the certificates it may need to trust and an account to run as: nothing else. */
export async function assembleBinary(recipe: BinaryRecipe, context: RecipeContext): Promise<Assembly> {
  const layer = new Layer();
  addAccounts(layer, { nonroot: NONROOT });
  const { bundle, versions } = await certificates(context);
  layer.file("/etc/ssl/certs/ca-certificates.crt", bundle);
  for (const [path, name] of Object.entries(recipe.files)) {
    const file = await context.sources.binary(recipe.item, name);
    if (interpreter(await readFile(file)) !== undefined) {
      throw new Error(
        `${file} is not static, so it cannot run in an image of its own: build ${recipe.item} with CGO_ENABLED=0`,
      );
    }
    layer.copy(path, file, { mode: 0o755 });
  }
  return { below: [], layer, inputs: { [recipe.item]: context.sources.itemKey(recipe.item), ...versions } };
}

/** Debian's own list of authorities: never this machine's, which may hold private ones. */
async function certificates(context: RecipeContext): Promise<{ bundle: Buffer; versions: Record<string, string> }> {
  const tree = join(context.scratch, "certificates");
  const versions = await context.sources.debian(["ca-certificates"], tree, ["openssl"]);
  const directory = join(tree, "usr/share/ca-certificates/mozilla");
  const names = (await readdir(directory)).filter((name) => name.endsWith(".crt")).sort();
  const parts = await Promise.all(names.map((name) => readFile(join(directory, name))));
  return { bundle: Buffer.concat(parts), versions };
}
