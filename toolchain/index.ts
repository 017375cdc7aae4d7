import * as fs from "node:fs";
import * as path from "node:path";
import { checkDisk } from "./disk";
import { type Place, composeHome } from "./home";
import { lockItem } from "./lock";
import { obtain } from "./obtain";
import { type Decision, decide } from "./plan";
import { type EnsureOptions, type Settings, settingsFrom } from "./settings";
import { tidy } from "./tidy";

export type { EnsureOptions } from "./settings";
export { extractDebian } from "./debian";

/** The ensured items, ready to run. */
export interface Toolchain {
  /** Absolute path of a binary of an ensured item. */
  bin(name: string): string;
  /** Directory of an ensured item in the store, with bin/ and share/. */
  dir(item: string): string;
  /** One directory to put first on PATH: every binary of the ensured items. */
  readonly path: string;
  /** A PULUMI_HOME holding the ensured plugins. */
  readonly pulumiHome: string;
  /** What a shell needs besides PATH for these tools to work as pinned here. */
  readonly env: Readonly<Record<string, string>>;
}

const PARALLEL_DOWNLOADS = 3;

/** Brings the items to this machine and returns where they are. Quick when all are there. */
export async function ensure(items: readonly string[], options: EnsureOptions = {}): Promise<Toolchain> {
  const settings = settingsFrom(options);
  const decisions = await decide(items, settings);
  refuseImpossible(decisions);
  checkDisk(decisions, settings);
  const made = await makeMissing(decisions, settings);
  const directories = new Map<string, string>();
  const places: Place[] = [];
  for (const [name, decision] of decisions) {
    const directory = decision.how === "stored" ? decision.directory : made.get(name);
    if (directory) directories.set(name, directory);
    places.push(placeOf(name, decision, directory, settings));
  }
  return toolchainOf(places, directories, settings);
}

function refuseImpossible(decisions: ReadonlyMap<string, Decision>): void {
  const faults = [...decisions].flatMap(([name, decision]) =>
    decision.how === "impossible" ? [`  ${name}: ${decision.why}`] : [],
  );
  if (faults.length > 0)
    throw new Error(
      `this machine cannot get ${faults.length} of the ${decisions.size} items it needs:\n${faults.join("\n")}`,
    );
}

/** Downloads run a few at a time, then packages and builds one by one. The first failure ends the run. */
async function makeMissing(decisions: ReadonlyMap<string, Decision>, settings: Settings): Promise<Map<string, string>> {
  const missing = [...decisions].flatMap(([name, decision]) =>
    decision.how === "make" ? [{ name, ...decision }] : [],
  );
  const made = new Map<string, string>();
  const isBuild = (name: string): boolean => lockItem(settings.lock, name).source?.kind === "go";
  const downloads = missing.filter(({ origin }) => origin === "download");
  const packages = missing.filter(({ name, origin }) => origin === "source" && !isBuild(name));
  const builds = missing.filter(({ name, origin }) => origin === "source" && isBuild(name));
  let position = 0;
  const makeNext = async (one: (typeof missing)[number]): Promise<void> => {
    const at = `[${++position}/${missing.length}]`;
    made.set(one.name, await obtain(one.name, one.origin, one.key, at, settings));
  };
  await inParallel(downloads, PARALLEL_DOWNLOADS, makeNext);
  for (const one of [...packages, ...builds]) await makeNext(one);
  if (packages.length + builds.length > 0) await tidy(settings);
  return made;
}

async function inParallel<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined && !failed; item = queue.shift()) {
      await work(item).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const results = await Promise.allSettled(Array.from({ length: width }, worker));
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
}

function placeOf(name: string, decision: Decision, directory: string | undefined, settings: Settings): Place {
  const item = lockItem(settings.lock, name);
  const plugin = item.plugin ? { name: item.plugin, version: item.version } : undefined;
  const files = decision.how === "present" ? decision.files : binariesOf(directory ?? "");
  return { item: name, plugin, onPath: item.onPath !== false, files };
}

function binariesOf(directory: string): Record<string, string> {
  const bin = path.join(directory, "bin");
  return Object.fromEntries(fs.readdirSync(bin).map((name) => [name, path.join(bin, name)]));
}

function toolchainOf(
  places: readonly Place[],
  directories: ReadonlyMap<string, string>,
  settings: Settings,
): Toolchain {
  const home = composeHome(settings.cache, places);
  const names = places.map(({ item }) => item).join(", ");
  return {
    ...home,
    env: { PULUMI_HOME: home.pulumiHome, PULUMI_SKIP_UPDATE_CHECK: "true" },
    bin(name) {
      const file = places.map(({ files }) => files[name]).find((found) => found !== undefined);
      if (!file) throw new Error(`no binary "${name}" in the ensured items ${names}: ensure the item that provides it`);
      return file;
    },
    dir(item) {
      const directory = directories.get(item);
      if (directory) return directory;
      const place = places.find((one) => one.item === item);
      throw new Error(
        place
          ? `item "${item}" is the machine's own (${Object.values(place.files)[0]}) and has no directory in the store; PLATFORM_PRESENT=ignore takes ours`
          : `item "${item}" was not ensured; ensured are ${names}`,
      );
    },
  };
}
