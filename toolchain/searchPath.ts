import * as fs from "node:fs";
import * as path from "node:path";

/** The first executable file of that name on a PATH, or undefined. Directories below `except` are passed over. */
export function findOnPath(name: string, searchPath: string | undefined, except?: string): string | undefined {
  for (const directory of (searchPath ?? "").split(path.delimiter)) {
    if (!directory || (except && isBelow(directory, except))) continue;
    const file = path.join(directory, name);
    if (isExecutable(file)) return file;
  }
  return undefined;
}

export function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

export function isBelow(file: string, directory: string): boolean {
  const relative = path.relative(directory, file);
  return relative === "" || (!relative.startsWith("..") && !path.isAbsolute(relative));
}
