import * as fs from "node:fs";
import * as path from "node:path";
import { isSemver } from "./semver";

/** The version that an application's source says: in its package.json, or in a file VERSION where there is none. */
export function versionIn(source: string): string {
  const [manifest, file] = ["package.json", "VERSION"].map((name) => path.join(source, name)) as [string, string];
  const found = fs.existsSync(manifest)
    ? { place: manifest, value: (JSON.parse(fs.readFileSync(manifest, "utf8")) as { version?: unknown }).version }
    : { place: file, value: fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim() : undefined };
  if (isSemver(found.value)) return found.value;
  const shown = found.value === undefined ? "nothing" : JSON.stringify(found.value);
  throw new Error(`the version in ${found.place}: found ${shown}, allowed is a semantic version such as 1.4.0`);
}
