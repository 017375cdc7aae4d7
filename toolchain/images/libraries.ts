import { execFile } from "node:child_process";
import { readFileSync, readlinkSync, lstatSync, readdirSync, existsSync } from "node:fs";
import { join, posix } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const PT_INTERP = 3;

/** The loader that a program of an unpacked tree asks for, or nothing for a static one. */
export const loaderOf = (tree: string, binary: string): string | undefined =>
  interpreter(readFileSync(join(tree, resolveInside(tree, binary))));

/**
 * The files a binary of an unpacked tree needs to start: its loader and the shared libraries that it and they load, by
 * path in the tree. The tree's own loader is asked, so no library of this machine can slip in; a static binary needs none.
 * What programs load later names no loader, and takes theirs.
 */
export async function sharedLibraries(
  tree: string,
  binary: string,
  loader = loaderOf(tree, binary),
): Promise<string[]> {
  if (loader === undefined) return [];
  const file = join(tree, resolveInside(tree, binary));
  const listed = await run(join(tree, resolveInside(tree, loader)), [
    "--inhibit-cache",
    "--library-path",
    libraryDirectories(tree).join(":"),
    "--list",
    file,
  ]).catch((cause: Error & { stderr?: string }) => {
    throw new Error(`cannot find the libraries of ${binary}: ${cause.stderr ?? cause.message}`, { cause });
  });
  const found = listed.stdout.split("\n").flatMap((line) => line.match(/^\s+\S+ => (\/\S+) \(0x/)?.[1] ?? []);
  const libraries = found.filter((path) => !path.endsWith(posix.basename(loader)));
  const outside = libraries.filter((path) => !path.startsWith(`${tree}/`));
  if (outside.length > 0) {
    throw new Error(`${binary} would load ${outside.join(", ")} of this machine: add the Debian package that has it`);
  }
  return [...new Set([loader, ...libraries.map((path) => path.slice(tree.length))])];
}

/** What a program of the tree prints, run with the libraries of the tree: this machine's may be too old for it. */
export async function outputOf(tree: string, binary: string, args: string[]): Promise<string> {
  const file = join(tree, resolveInside(tree, binary));
  const loader = loaderOf(tree, binary);
  if (loader === undefined) return (await run(file, args)).stdout;
  const path = ["--library-path", libraryDirectories(tree).join(":")];
  return (await run(join(tree, resolveInside(tree, loader)), [...path, file, ...args])).stdout;
}

/** Follows symbolic links as a process rooted in the tree would, absolute ones included. */
export function resolveInside(tree: string, path: string): string {
  let left = path.split("/").filter(Boolean);
  let at = "/";
  for (let hops = 0; left.length > 0;) {
    const [next = "", ...rest] = left;
    const candidate = posix.join(at, next);
    if (!lstatSync(join(tree, candidate)).isSymbolicLink()) {
      at = candidate;
      left = rest;
      continue;
    }
    if (++hops > 40) throw new Error(`${path} is a loop of symbolic links`);
    const target = readlinkSync(join(tree, candidate));
    left = [...target.split("/").filter(Boolean), ...rest];
    if (target.startsWith("/")) at = "/";
  }
  return at;
}

/** The loader an ELF file asks for, or nothing for a static one. Only 64-bit little-endian files are known. */
export function interpreter(elf: Buffer): string | undefined {
  if (elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1) {
    throw new Error("not a 64-bit little-endian ELF file");
  }
  const table = Number(elf.readBigUInt64LE(32));
  const size = elf.readUInt16LE(54);
  const count = elf.readUInt16LE(56);
  for (let index = 0; index < count; index++) {
    const header = table + index * size;
    if (elf.readUInt32LE(header) !== PT_INTERP) continue;
    const start = Number(elf.readBigUInt64LE(header + 8));
    const length = Number(elf.readBigUInt64LE(header + 32));
    return elf.toString("latin1", start, start + length - 1);
  }
  return undefined;
}

/** Where the tree has a library. */
export function libraryIn(tree: string, name: string): string {
  const found = libraryDirectories(tree).find((directory) => existsSync(join(directory, name)));
  if (found === undefined) throw new Error(`no package here has ${name}`);
  return join(found, name).slice(tree.length);
}

/** Debian keeps libraries below a directory per processor, whose name need not be known: the tree has just one. */
function libraryDirectories(tree: string): string[] {
  return ["lib", "usr/lib"].flatMap((parent) => {
    const directory = join(tree, parent);
    if (!existsSync(directory)) return [];
    const perProcessor = readdirSync(directory).filter((name) => name.endsWith("-linux-gnu"));
    return perProcessor.map((name) => join(directory, name));
  });
}
