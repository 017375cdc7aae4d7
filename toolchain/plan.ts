import { canBeChecked, isCommitted } from "./checksums";
import { hostOf, reachableHosts } from "./connectivity";
import { goObstacle, moduleObstacle } from "./go";
import { type Origin, storeKey } from "./hash";
import { type LockItem, lockItem } from "./lock";
import { fillTemplate, platformKey } from "./platform";
import { findPresent } from "./present";
import { osRelease, releaseObstacle } from "./osRelease";
import { findOnPath } from "./searchPath";
import type { Settings } from "./settings";
import { findStored } from "./store";

/** The path an item takes to this machine. */
export type Decision =
  | { readonly how: "present"; readonly files: Readonly<Record<string, string>>; readonly text: string }
  | { readonly how: "stored"; readonly origin: Origin; readonly directory: string }
  | { readonly how: "make"; readonly origin: Origin; readonly key: string; readonly why: string }
  | { readonly how: "impossible"; readonly why: string };

/** Decides for every item: present on the machine, in the store, official download, from source; in this order. */
export async function decide(names: readonly string[], settings: Settings): Promise<Map<string, Decision>> {
  const decisions = new Map<string, Decision>();
  const open: [string, LockItem][] = [];
  for (const name of new Set(names)) {
    const here = decideLocally(name, settings);
    if (here) decisions.set(name, here);
    else open.push([name, lockItem(settings.lock, name)]);
  }
  const hosts = await hostsOf(open, settings);
  for (const [name, item] of open) decisions.set(name, remotely(name, item, hosts, settings));
  return new Map([...new Set(names)].map((name) => [name, decisions.get(name) as Decision]));
}

/** The decision where the item is here already, or undefined. Asks nothing of the network. */
export function decideLocally(name: string, settings: Settings): Decision | undefined {
  const item = lockItem(settings.lock, name);
  if (settings.present) {
    const finding = findPresent(item, settings);
    if (finding.fits) return { how: "present", files: finding.files, text: finding.text };
  }
  for (const origin of allowedOrigins(item, settings)) {
    const directory = findStored(settings.cache, keyOf(name, item, origin, settings));
    if (directory) return { how: "stored", origin, directory };
  }
  return undefined;
}

function allowedOrigins(item: LockItem, settings: Settings): Origin[] {
  const origins: Origin[] = [];
  if (isDownloadable(item, settings) && settings.source !== "build") origins.push("download");
  if (item.source && (settings.source !== "download" || !isDownloadable(item, settings))) origins.push("source");
  return origins;
}

function isDownloadable(item: LockItem, settings: Settings): boolean {
  return item.download?.files.every((file) => canBeChecked(file, settings.platform)) ?? false;
}

/** Asked only for what is missing, and only when the answer matters. */
async function hostsOf(open: readonly [string, LockItem][], settings: Settings): Promise<Set<string>> {
  if (settings.source !== "auto") return new Set();
  return reachableHosts(
    open.flatMap(([, item]) => downloadUrls(item, settings)),
    settings.downloadOrigin,
  );
}

/** Every address a download will ask, upstream's lists of checksums included where they are needed. */
function downloadUrls(item: LockItem, settings: Settings): string[] {
  const version = item.download?.version ?? item.version;
  return (item.download?.files ?? []).flatMap((file) => {
    const templates = isCommitted(file, settings.platform) || !file.checksums ? [file.url] : [file.url, file.checksums];
    return templates.map((template) => fillTemplate(template, version, settings.platform));
  });
}

function remotely(name: string, item: LockItem, hosts: ReadonlySet<string>, settings: Settings): Decision {
  const urls = downloadUrls(item, settings);
  const reachable = urls.length > 0 && urls.every((url) => hosts.has(hostOf(url)));
  if (isDownloadable(item, settings) && (settings.source === "download" || (settings.source === "auto" && reachable)))
    return {
      how: "make",
      origin: "download",
      key: keyOf(name, item, "download", settings),
      why: hostOf(urls[0] ?? ""),
    };
  const noDownload = whyNoDownload(item, urls, hosts, settings);
  if (!item.source)
    return { how: "impossible", why: `${noDownload}; it cannot be built here either: ${item.noSource ?? "no source"}` };
  const obstacle = sourceObstacle(item, settings);
  if (obstacle) return { how: "impossible", why: `${noDownload}; ${obstacle}` };
  return { how: "make", origin: "source", key: keyOf(name, item, "source", settings), why: noDownload };
}

function whyNoDownload(
  item: LockItem,
  urls: readonly string[],
  hosts: ReadonlySet<string>,
  settings: Settings,
): string {
  if (!item.download) return item.noDownload ?? "no official download";
  if (!isDownloadable(item, settings)) return `no known checksum of the download for ${platformKey(settings.platform)}`;
  if (settings.source === "build") return "PLATFORM_SOURCE=build";
  const silent = [...new Set(urls.map(hostOf).filter((host) => !hosts.has(host)))];
  return `${silent.join(", ")} does not answer from here`;
}

/** What keeps an item from being made from source here, or undefined. */
function sourceObstacle(item: LockItem, settings: Settings): string | undefined {
  if (item.source?.kind === "go") return goObstacle(item.source, settings);
  if (item.source?.kind === "module") return moduleObstacle(settings);
  if (item.source?.kind !== "debian") return undefined;
  const lacking = ["apt-get", "dpkg-deb", "tar"].filter((tool) => !findOnPath(tool, settings.env["PATH"]));
  const { packages } = item.source;
  const why =
    lacking.length > 0
      ? `it comes from the Debian packages ${packages.join(", ")} and this machine has no ${lacking.join(", ")}`
      : releaseObstacle(item.source, osRelease());
  return why && `${why}: install ${item.provides.join(", ")} with the machine's own package manager`;
}

function keyOf(name: string, item: LockItem, origin: Origin, settings: Settings): string {
  return storeKey(name, item, origin, settings.platform, settings.recipes);
}
