import * as fs from "node:fs";
import * as path from "node:path";
import { withOrigins } from "./crdOrigins";

/** How to recognise what the machine already has. The binaries in `provides` have to be there as well. */
export interface Present {
  /** Run to learn the version; the first word is looked up on PATH. */
  readonly command: readonly string[];
  /** A regular expression whose first group is the version in the command's output. */
  readonly match: string;
  /** Versions that fit, such as ">=1.33 <1.36". */
  readonly range: string;
  /** The parts work together even out of different directories. */
  readonly apart?: boolean;
  /** Searched after PATH: where distributions put what is no command, such as /opt/cni/bin. */
  readonly directories?: readonly string[];
  /** Other names under which a machine may have a binary, looked for when its own is not there. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
}

/** One official file. In `url` and `checksums`, ${version}, ${os}, ${arch}, ${x64} and ${machine} are filled in. */
export interface DownloadFile {
  readonly url: string;
  /** By platform, such as linux-amd64, or under `any`. */
  readonly sha256?: Readonly<Record<string, string>>;
  /** Upstream's own list of checksums, for platforms whose sum is not committed here: weaker, and shown as such. */
  readonly checksums?: string;
  /** What goes where below the item's directory; without `from` the file itself, a trailing slash means a directory. */
  readonly install: readonly { readonly from?: string; readonly to: string }[];
}

export interface Download {
  /** Where it differs from the item's. */
  readonly version?: string;
  readonly files: readonly DownloadFile[];
  /** Megabytes on disk while it is fetched and unpacked. */
  readonly diskMB: number;
}

export interface GoSource {
  readonly kind: "go";
  /** Directories below toolchain/go; `outputs` limits a recipe that several items share. */
  readonly recipes: readonly { readonly name: string; readonly outputs?: readonly string[] }[];
  /** Gigabytes of module and build cache while it is built. */
  readonly diskGB: number;
}

export interface DebianSource {
  readonly kind: "debian";
  readonly packages: readonly string[];
  /** Dependencies that stay out because the host or another item has them. */
  readonly ignore?: readonly string[];
  /** Names that Debian's alternatives would have made: name to path in the packages. */
  readonly links?: Readonly<Record<string, string>>;
  /** Directories other than bin and sbin that hold executables, such as usr/lib/cni. */
  readonly directories?: readonly string[];
  /** The release of Debian from which on it has them. Without, every distribution with apt has them. */
  readonly release?: number;
  /** Directories beside the libraries that hold more of them, such as pulseaudio. */
  readonly libraries?: readonly string[];
  readonly diskGB: number;
}

/** Files out of a Go module, each with its SHA-256. */
export interface ModuleSource {
  readonly kind: "module";
  readonly module: string;
  readonly version: string;
  readonly directory: string;
  readonly files: Readonly<Record<string, string>>;
  readonly diskGB: number;
}

type Source = GoSource | DebianSource | ModuleSource;

/** Custom resource definitions: the same files in the publisher's repository and in the Go module of the same version. */
export interface Definitions {
  readonly module: string;
  /** On github.com. */
  readonly repository: string;
  readonly directory: string;
  /** File name to SHA-256. */
  readonly files: Readonly<Record<string, string>>;
}

const PURPOSES = ["engine", "cluster", "images", "crds", "docker", "kind", "checks"] as const;
export type Purpose = (typeof PURPOSES)[number];

export interface LockItem {
  readonly version: string;
  /** What it is needed for: the doctor's grouping. */
  readonly purpose: Purpose;
  /** Executables found in bin/. */
  readonly provides: readonly string[];
  /** False keeps the executables off PATH: a CNI plugin called `bridge` would hide the command of that name. */
  readonly onPath?: boolean;
  /** Set for a Pulumi resource plugin: its name as the engine asks for it. */
  readonly plugin?: string;
  readonly present?: Present;
  readonly download?: Download;
  readonly source?: Source;
  /** In place of download and source, which follow from it. */
  readonly definitions?: Definitions;
  /** Why an origin is missing, for the reader of an error or of the doctor's table. */
  readonly noDownload?: string;
  readonly noSource?: string;
}

export interface Lock {
  readonly items: Readonly<Record<string, LockItem>>;
}

export const TOOLCHAIN_DIRECTORY = __dirname;

export function readLock(file: string = path.join(TOOLCHAIN_DIRECTORY, "lock.json")): Lock {
  const { items } = JSON.parse(fs.readFileSync(file, "utf8")) as Lock;
  const lock = { items: Object.fromEntries(Object.entries(items).map(([name, item]) => [name, withOrigins(item)])) };
  const faults = lockFaults(lock);
  if (faults.length > 0) throw new Error(`${file}:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
  return lock;
}

const NAME = /^[a-z0-9][a-z0-9-]*$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** Every fault of a lock, each with the path of the key at fault. */
export function lockFaults(lock: Lock): string[] {
  const faults: string[] = [];
  for (const [name, item] of Object.entries(lock.items)) {
    const at = `items.${name}`;
    if (!NAME.test(name)) faults.push(`${at}: an item's name is made of a-z, 0-9 and -`);
    if (!item.version) faults.push(`${at}.version: missing`);
    if (!PURPOSES.includes(item.purpose))
      faults.push(`${at}.purpose: "${item.purpose}" is none of ${PURPOSES.join(", ")}`);
    if (item.provides.length === 0 && !item.definitions) faults.push(`${at}.provides: names no executable`);
    if (!item.download && !item.noDownload) faults.push(`${at}: needs download, or noDownload saying why not`);
    if (!item.source && !item.noSource) faults.push(`${at}: needs source, or noSource saying why not`);
    item.download?.files.forEach((file, index) => {
      const where = `${at}.download.files[${index}]`;
      if (!file.url.startsWith("https://")) faults.push(`${where}.url: "${file.url}" is not https`);
      if (!file.sha256 && !file.checksums)
        faults.push(`${where}: needs sha256, or checksums (the URL of upstream's list)`);
      for (const [platform, sum] of Object.entries(file.sha256 ?? {}))
        if (!SHA256.test(sum)) faults.push(`${where}.sha256.${platform}: "${sum}" is not 64 hexadecimal digits`);
    });
  }
  return faults;
}

export function lockItem(lock: Lock, name: string): LockItem {
  const item = lock.items[name];
  if (!item) throw new Error(`unknown toolchain item "${name}"; known: ${Object.keys(lock.items).join(", ")}`);
  return item;
}
