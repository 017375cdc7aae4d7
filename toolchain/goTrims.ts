import * as fs from "node:fs";
import * as path from "node:path";
import { downloadModule } from "./goModule";

/**
 * A module that is built without parts of itself: forty secret stores to reach one, two hundred DNS providers to reach
 * none. It is copied out of the module cache, and packages of the recipe's take the place of upstream's.
 */
export interface Trim {
  readonly module: string;
  readonly version: string;
  /** As go.sum writes it, which holds no sum of a module that is replaced by a directory. */
  readonly sum: string;
  /** Directory of the recipe whose packages replace those of the same path. */
  readonly over: string;
  /** Where the recipe's go.mod expects the result. */
  readonly to: string;
}

/** Lays out the trimmed modules in a copy of a recipe, before Go reads its go.mod. */
export function layTrims(trims: readonly Trim[], copy: string, go: string, env: NodeJS.ProcessEnv): void {
  for (const trim of trims) {
    const target = path.join(copy, trim.to);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.cpSync(checkedDirectory(trim, go, env), target, { recursive: true });
    replacePackages(path.join(copy, trim.over), target);
  }
}

function checkedDirectory({ module, version, sum }: Trim, go: string, env: NodeJS.ProcessEnv): string {
  const found = downloadModule(`${module}@${version}`, go, env);
  if (found.sum === sum) return found.directory;
  throw new Error(
    `${module}@${version} has the sum ${found.sum}, its recipe says ${sum}: what the proxy serves has changed`,
  );
}

/** A package is replaced as a whole: files of upstream's that stayed beside ours would be compiled with them. */
function replacePackages(over: string, target: string): void {
  const files = fs.readdirSync(over, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".go"));
  for (const directory of new Set(files.map((file) => path.dirname(file)))) {
    const below = path.join(target, directory);
    if (!fs.existsSync(below)) throw new Error(`${over} replaces ${directory}, which upstream does not have`);
    for (const name of fs.readdirSync(below)) if (name.endsWith(".go")) fs.rmSync(path.join(below, name));
  }
  for (const file of files) fs.copyFileSync(path.join(over, file), path.join(target, file));
}
