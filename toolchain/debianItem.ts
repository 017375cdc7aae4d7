import * as fs from "node:fs";
import * as path from "node:path";
import { type ExtractedPackage, extractDebian } from "./debian";
import type { DebianSource } from "./lock";
import type { Making } from "./making";
import { isExecutable } from "./searchPath";

/** Unpacks the packages of an item below `root/` and makes an entry in `bin/` for each of their executables. */
export async function makeFromDebian(source: DebianSource, making: Making): Promise<void> {
  const root = path.join(making.stage, "root");
  const packages = await extractDebian(source.packages, root, {
    libc: "host",
    ignore: source.ignore,
    log: making.log,
    cache: making.settings.cache,
    env: making.settings.env,
    onWait: making.onWait,
  });
  making.facts["packages"] = packages.map((one) => `${one.name} ${one.version}`);
  const bin = path.join(making.stage, "bin");
  fs.mkdirSync(bin, { recursive: true });
  const finalRoot = path.join(making.final, "root");
  const environment = [...libraryEnvironment(root, finalRoot, source.libraries), ...fontEnvironment(root, finalRoot)];
  for (const [name, file] of executables(root, source, packages))
    entry(path.join(bin, name), path.join(finalRoot, file), environment);
}

/** Those of the named packages alone: what a dependency brings along is not what the item promises. */
function executables(root: string, source: DebianSource, packages: readonly ExtractedPackage[]): Map<string, string> {
  const named = packages.filter(({ name }) => source.packages.includes(name));
  const directories = ["usr/bin", "usr/sbin", ...(source.directories ?? [])];
  const found = new Map<string, string>();
  for (const packed of named.flatMap(({ files }) => files)) {
    const file = packed.replace(/^(s?bin|lib)\//, "usr/$1/");
    if (directories.includes(path.dirname(file)) && isExecutable(path.join(root, file)))
      found.set(path.basename(file), file);
  }
  for (const [name, file] of Object.entries(source.links ?? {})) {
    if (!fs.existsSync(path.join(root, file)))
      throw new Error(`links.${name}: the packages ${source.packages.join(", ")} hold no ${file}`);
    found.set(name, file);
  }
  return found;
}

function namesIn(directory: string): string[] {
  return fs.existsSync(directory) ? fs.readdirSync(directory).sort() : [];
}

/**
 * What has to be set for the executables to find their own libraries instead of the host's, which may lack them.
 * Not through the dynamic loader's command line: runc, containerd and dockerd start themselves again by
 * /proc/self/exe, which would then be the loader.
 */
function libraryEnvironment(root: string, finalRoot: string, beside: readonly string[] = []): string[] {
  const base = path.join(root, "usr/lib");
  const triplets = namesIn(base).filter((name) => /-linux-gnu/.test(name));
  const holdsLibraries = triplets.filter((name) =>
    namesIn(path.join(base, name)).some((file) => /\.so(\.|$)/.test(file)),
  );
  if (holdsLibraries.length === 0) return [];
  const final = holdsLibraries.flatMap((name) =>
    [name, ...beside.map((directory) => path.join(name, directory))].map((one) => path.join(finalRoot, "usr/lib", one)),
  );
  const plugins = holdsLibraries.find((name) => fs.existsSync(path.join(base, name, "xtables")));
  return [
    `LD_LIBRARY_PATH='${final.join(":")}'\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}`,
    ...(plugins ? [`XTABLES_LIBDIR='${path.join(finalRoot, "usr/lib", plugins, "xtables")}'`] : []),
  ];
}

const FONTS = "usr/share/fonts";

/** Packed fonts are the only ones: what is drawn with them looks the same on every machine. */
function fontEnvironment(root: string, finalRoot: string): string[] {
  if (!fs.existsSync(path.join(root, FONTS))) return [];
  const file = "etc/fonts/packed.conf";
  fs.mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
  fs.writeFileSync(path.join(root, file), fontConfiguration(path.join(finalRoot, FONTS)));
  return [`FONTCONFIG_FILE='${path.join(finalRoot, file)}'`];
}

/** Debian's own names the host's directories, and links to files by their absolute path. */
function fontConfiguration(directory: string): string {
  const generic = { "sans-serif": "DejaVu Sans", "system-ui": "DejaVu Sans", serif: "DejaVu Serif" };
  const aliases = Object.entries({ ...generic, monospace: "DejaVu Sans Mono", "ui-monospace": "DejaVu Sans Mono" });
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
    "<fontconfig>",
    `<dir>${directory}</dir>`,
    '<cachedir prefix="xdg">fontconfig</cachedir>',
    ...aliases.map(
      ([family, font]) => `<alias><family>${family}</family><prefer><family>${font}</family></prefer></alias>`,
    ),
    "</fontconfig>\n",
  ].join("\n");
}

function entry(file: string, target: string, environment: readonly string[]): void {
  if (environment.length === 0) fs.symlinkSync(target, file);
  else fs.writeFileSync(file, `#!/bin/sh\n${environment.join(" ")} exec '${target}' "$@"\n`, { mode: 0o755 });
}
