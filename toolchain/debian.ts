import * as fs from "node:fs";
import * as path from "node:path";
import { type Cache, cacheAt, defaultCacheRoot, emptyDirectory, removeTree } from "./cache";
import { endLeftover, runLogged } from "./command";
import { exclusively } from "./exclusive";
import { thisPlatform } from "./platform";

/** Needed by maintainer scripts alone, and no such script is ever run here. */
const SETUP_PACKAGES = [
  ...["adduser", "base-files", "base-passwd", "debconf", "debianutils", "dpkg", "init-system-helpers", "login"],
  ...[
    "lsb-base",
    "mount",
    "passwd",
    "perl",
    "perl-base",
    "systemd",
    "sysvinit-utils",
    "tar",
    "ucf",
    "usrmerge",
    "usr-is-merged",
  ],
  ...["util-linux", "dbus"],
];

/** A process has one C library; a tool that runs on the host has to use the host's. */
const HOST_LIBRARIES = ["libc6", "libc-bin", "libgcc-s1", "libcrypt1", "gcc-12-base", "gcc-13-base", "gcc-14-base"];

const DOCUMENTATION = ["doc", "man", "info", "locale", "lintian", "bash-completion", "zsh", "bug"];

interface ExtractOptions {
  /** `host` leaves the C library out, for tools run on the host; `extracted` takes it along, for an image. */
  readonly libc: "host" | "extracted";
  /** More packages to leave out, with everything only they need. */
  readonly ignore?: readonly string[];
  /** apt's and dpkg-deb's output is appended here. */
  readonly log: string;
  readonly cache?: Cache;
  readonly env?: NodeJS.ProcessEnv;
  readonly onWait?: (holder: string) => void;
}

export interface ExtractedPackage {
  readonly name: string;
  readonly version: string;
  /** What it holds, relative to the destination and as packed: some packages still say lib/ where usr/lib/ is meant. */
  readonly files: readonly string[];
}

/**
 * Unpacks Debian packages and all they depend on into `destination`. The lists and downloads are our own, so neither
 * the host's apt state nor its installed packages change; apt verifies the archive's signatures as it always does.
 */
export async function extractDebian(
  packages: readonly string[],
  destination: string,
  options: ExtractOptions,
): Promise<ExtractedPackage[]> {
  const cache = options.cache ?? cacheAt(defaultCacheRoot());
  return exclusively(
    path.join(cache.locks, "apt"),
    async () => {
      const apt = await openApt(cache, packages, options);
      const files = await closure(apt, packages);
      await apt.run(["install", "--download-only", ...packages]);
      mergeUsr(destination);
      const archives = files.map((file) => path.join(apt.archives, file));
      await runLogged(["sh", "-ec", UNPACK, "unpack", destination, apt.scratch, ...archives], {
        log: options.log,
        env: apt.env,
      });
      for (const name of DOCUMENTATION) removeTree(path.join(destination, "usr/share", name));
      return files.map((file) => packageOf(file, path.join(apt.scratch, `${file}.list`)));
    },
    options.onWait,
  );
}

/** Not dpkg-deb --extract: that turns the links of mergeUsr back into directories. */
const UNPACK = `into=$1; lists=$2; shift 2
for archive; do
  dpkg-deb --fsys-tarfile "$archive" | tar -xv --keep-directory-symlink -C "$into" > "$lists/\${archive##*/}.list"
done`;

interface Apt {
  readonly archives: string;
  run(args: readonly string[], log?: string): Promise<void>;
  readonly scratch: string;
  readonly env: NodeJS.ProcessEnv;
}

async function openApt(cache: Cache, packages: readonly string[], options: ExtractOptions): Promise<Apt> {
  const root = path.join(cache.build, "apt");
  const record = path.join(root, "running.json");
  endLeftover(record);
  const archives = path.join(root, "archives");
  const scratch = emptyDirectory(cache, "apt", "scratch");
  for (const directory of [path.join(root, "lists/partial"), path.join(archives, "partial")])
    fs.mkdirSync(directory, { recursive: true });
  const status = path.join(scratch, "status");
  fs.writeFileSync(status, pretendInstalled(packages, options));
  const settings = {
    "Dir::State": root,
    "Dir::State::lists": path.join(root, "lists"),
    "Dir::State::status": status,
    "Dir::Cache": root,
    "Dir::Cache::archives": archives,
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "Debug::NoLocking": "true",
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  const env = { ...(options.env ?? process.env), LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const run = (args: readonly string[], log = options.log): Promise<void> =>
    runLogged(["apt-get", "-q", "-y", ...flags, ...args], { log, record, env });
  const fresh = path.join(root, "updated");
  if (!isRecent(fresh)) {
    await run(["update"]);
    fs.writeFileSync(fresh, "");
  }
  return { archives, run, scratch, env };
}

const LISTS_GOOD_FOR_MS = 6 * 3600 * 1000;

function isRecent(file: string): boolean {
  const changed = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return changed !== undefined && Date.now() - changed < LISTS_GOOD_FOR_MS;
}

/** What apt believes to be installed it neither fetches nor follows: this is how packages are left out, unless they are asked for. */
function pretendInstalled(packages: readonly string[], options: ExtractOptions): string {
  const left = [...SETUP_PACKAGES, ...(options.libc === "host" ? HOST_LIBRARIES : []), ...(options.ignore ?? [])];
  const isLeft = (name: string): boolean => !packages.includes(name);
  const stanza = (name: string): string =>
    [
      `Package: ${name}`,
      "Status: install ok installed",
      "Maintainer: nobody <nobody@localhost>",
      `Architecture: ${thisPlatform().arch}`,
      // Some ask for perl:any, which only this answers.
      `Multi-Arch: ${name === "perl" ? "allowed" : "foreign"}`,
      "Version: 99:9999",
      ...(name === "debconf" ? ["Provides: debconf-2.0"] : []),
      "Description: left out",
    ].join("\n");
  return `${left.filter(isLeft).map(stanza).join("\n\n")}\n`;
}

/** apt prints the address of what it would fetch, hence an archive directory in which nothing lies yet. */
async function closure(apt: Apt, packages: readonly string[]): Promise<string[]> {
  const list = path.join(apt.scratch, "uris");
  const nothingFetched = path.join(apt.scratch, "none");
  fs.mkdirSync(path.join(nothingFetched, "partial"), { recursive: true });
  await apt.run(["install", "--print-uris", "-o", `Dir::Cache::archives=${nothingFetched}`, ...packages], list);
  return [...fs.readFileSync(list, "utf8").matchAll(/^'\S+' (\S+\.deb) \d+/gm)].map((match) => match[1] ?? "");
}

/** Packages still ship files below /bin and /lib; the links make them land in /usr, as on an installed system. */
function mergeUsr(destination: string): void {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    fs.mkdirSync(path.join(destination, "usr", name), { recursive: true });
    if (!fs.existsSync(path.join(destination, name))) fs.symlinkSync(`usr/${name}`, path.join(destination, name));
  }
}

function packageOf(file: string, list: string): ExtractedPackage {
  const [name = "", version = ""] = file.replace(/\.deb$/, "").split("_");
  const files = fs.readFileSync(list, "utf8").trimEnd().split("\n");
  return { name, version: decodeURIComponent(version), files: files.map((entry) => entry.replace(/^\.\//, "")) };
}
