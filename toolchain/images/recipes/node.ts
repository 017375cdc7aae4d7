import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { runLogged } from "../../command";
import { Layer } from "../layer";
import type { NodeRecipe } from "../lock";
import type { StoredLayer } from "../store";
import type { Assembly, RecipeContext } from "./context";

const run = promisify(execFile);
const ROOT = { uid: 0, gid: 0 };
const NODE_USER = 1000;

/** Node.js and npm where their official image has them, with its user `node`, from the packages in the npm registry. */
export async function assembleNode(recipe: NodeRecipe, context: RecipeContext): Promise<Assembly> {
  const below = await context.base(recipe.base);
  const runtime = await unpack(`node-linux-${process.arch}@${recipe.node}`, recipe, context);
  const npm = await unpack(`npm@${recipe.npm}`, recipe, context);
  const layer = new Layer();
  layer.copy("/usr/local/bin/node", join(runtime, "bin/node"), { mode: 0o755 });
  layer.copy("/usr/local/LICENSE", join(runtime, "LICENSE"));
  layer.symlink("/usr/local/bin/nodejs", "node");
  const home = "usr/local/lib/node_modules/npm";
  const manuals = /^(docs|man)(\/|$)/;
  layer.tree(home, npm, (path) => !manuals.test(path), ROOT);
  for (const name of ["npm", "npx"]) {
    const script = `${home}/bin/${name}-cli.js`;
    layer.copy(script, join(npm, `bin/${name}-cli.js`), { mode: 0o755 });
    layer.symlink(`/usr/local/bin/${name}`, `../lib/node_modules/npm/bin/${name}-cli.js`);
  }
  await addUser(layer, below, context);
  return { below, layer, environment: { NODE_VERSION: recipe.node }, inputs: { node: recipe.node, npm: recipe.npm } };
}

async function unpack(spec: string, recipe: NodeRecipe, context: RecipeContext): Promise<string> {
  const expected = recipe.integrity[spec];
  if (expected === undefined) throw new Error(`toolchain/images/lock.json has no integrity for ${spec}: add npm's own`);
  const directory = join(context.scratch, spec.split("@")[0] ?? spec);
  await mkdir(directory, { recursive: true });
  await runLogged(["npm", "pack", spec, "--pack-destination", directory], { log: context.log });
  const [archive = ""] = await readdir(directory);
  const actual = await integrityOf(join(directory, archive));
  if (actual !== expected) {
    throw new Error(
      `${spec} from the npm registry is ${actual}, toolchain/images/lock.json expects ${expected}: do not use it`,
    );
  }
  await run("tar", ["-xzf", join(directory, archive), "-C", directory]);
  return join(directory, "package");
}

async function integrityOf(file: string): Promise<string> {
  const hash = createHash("sha512");
  await pipeline(createReadStream(file), hash);
  return `sha512-${hash.digest("base64")}`;
}

async function addUser(layer: Layer, below: StoredLayer[], context: RecipeContext): Promise<void> {
  const passwd = await context.readBelow(below, "etc/passwd");
  const group = await context.readBelow(below, "etc/group");
  layer.file("/etc/passwd", `${passwd}node:x:${NODE_USER}:${NODE_USER}::/home/node:/bin/bash\n`);
  layer.file("/etc/group", `${group}node:x:${NODE_USER}:\n`);
  layer.directory("/home/node", { mode: 0o755, uid: NODE_USER, gid: NODE_USER });
}
