import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** Turns a line of .dockerignore into a test of a path relative to the context. */
function matcher(pattern: string): RegExp {
  const body = pattern
    .replace(/^\/+|\/+$/g, "")
    .split("/")
    .map((part) =>
      part === "**"
        ? "\0"
        : part
            .replace(/[.+^${}()|\\]/g, "\\$&")
            .replace(/\*/g, "[^/]*")
            .replace(/\?/g, "[^/]"),
    )
    .join("/")
    .replace(/\0\//g, "(?:.*/)?")
    .replace(/\/\0/g, "(?:/.*)?")
    .replace(/\0/g, ".*");
  return new RegExp(`^${body}(?:/|$)`);
}

/** Docker's rules: the last line that matches decides, and `!` takes a file back in. */
export function ignoring(dockerignore: string): (relative: string) => boolean {
  const rules = dockerignore
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => ({ keep: line.startsWith("!"), test: matcher(line.replace(/^!/, "")) }));
  return (relative) => rules.reduce((ignored, rule) => (rule.test.test(relative) ? !rule.keep : ignored), false);
}

/** Every file that a build of `context` can see, sorted. */
export function contextFiles(context: string): string[] {
  const ignoreFile = path.join(context, ".dockerignore");
  const dockerignore = fs.existsSync(ignoreFile) ? fs.readFileSync(ignoreFile, "utf8") : "";
  const ignored = ignoring(dockerignore);
  // Without exceptions an ignored folder holds nothing of interest, and node_modules holds a lot of it.
  const hasExceptions = /^\s*!/m.test(dockerignore);
  const walk = (dir: string): string[] =>
    fs.readdirSync(path.join(context, dir), { withFileTypes: true }).flatMap((entry) => {
      const relative = dir ? `${dir}/${entry.name}` : entry.name;
      if (entry.isDirectory()) return ignored(relative) && !hasExceptions ? [] : walk(relative);
      // The build reads its Dockerfile even where it is hidden from COPY.
      return ignored(relative) && relative !== "Dockerfile" ? [] : [relative];
    });
  return walk("").sort();
}

/** Of the arguments those that the Dockerfile asks for: another's new base image is no reason to build this one anew. */
export function argumentsOf(context: string, known: Readonly<Record<string, string>>): Record<string, string> {
  const dockerfile = fs.readFileSync(path.join(context, "Dockerfile"), "utf8");
  const asked = new Set([...dockerfile.matchAll(/^\s*ARG\s+(\w+)/gim)].map(([, name]) => name));
  return Object.fromEntries(Object.entries(known).filter(([name]) => asked.has(name)));
}

/** A hash of all that decides the image: the visible files, whether each can be executed, and the build's arguments. */
export function hashContext(context: string, buildArgs: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  for (const relative of contextFiles(context)) {
    const file = path.join(context, relative);
    const info = fs.lstatSync(file);
    const content = info.isSymbolicLink() ? Buffer.from(fs.readlinkSync(file)) : fs.readFileSync(file);
    hash.update(`${relative}\0${info.mode & 0o111 ? "x" : "-"}\0${content.length}\0`).update(content);
  }
  for (const key of Object.keys(buildArgs).sort()) hash.update(`${key}=${buildArgs[key]}\0`);
  return hash.digest("hex");
}
