import * as fs from "node:fs";
import * as path from "node:path";
import { lastLines } from "./command";
import { makeFromModule, placeDefinitions } from "./crdItem";
import { makeFromDebian } from "./debianItem";
import { makeFromDownload } from "./downloadItem";
import { exclusively } from "./exclusive";
import { makeFromGo } from "./go";
import type { Origin } from "./hash";
import { lockItem } from "./lock";
import type { Making } from "./making";
import type { Settings } from "./settings";
import { fillStore, findStored } from "./store";

/** Makes one item, unless another run has made it by the time we hold its lock. Returns its directory. */
export async function obtain(
  name: string,
  origin: Origin,
  key: string,
  position: string,
  settings: Settings,
): Promise<string> {
  const log = path.join(settings.cache.log, `${name}.log`);
  const step = settings.progress.start(position, name, `${describe(name, origin, settings)} (log ${log})`);
  const onWait = (holder: string): void => step.note(`waiting for ${holder}, which is at it`);
  try {
    const directory = await exclusively(
      path.join(settings.cache.locks, key),
      async () => findStored(settings.cache, key) ?? (await make(name, origin, key, log, onWait, step.note, settings)),
      onWait,
    );
    step.done();
    return directory;
  } catch (error) {
    step.failed();
    throw new Error(failure(name, error as Error, log));
  }
}

function make(
  name: string,
  origin: Origin,
  key: string,
  log: string,
  onWait: (holder: string) => void,
  note: (text: string) => void,
  settings: Settings,
): Promise<string> {
  const item = lockItem(settings.lock, name);
  fs.mkdirSync(path.dirname(log), { recursive: true });
  fs.writeFileSync(log, "");
  return fillStore(settings.cache, key, item.provides, async (stage, final) => {
    const facts: Record<string, unknown> = { item: name, version: item.version, origin };
    const making: Making = { name, item, settings, stage, final, log, facts, onWait, note };
    if (origin === "download" && item.download) await makeFromDownload(item.download, making);
    else if (item.source?.kind === "debian") await makeFromDebian(item.source, making);
    else if (item.source?.kind === "go") await makeFromGo(item.source, making);
    else if (item.source?.kind === "module") await makeFromModule(item.source, making);
    else throw new Error(`toolchain/lock.json gives no ${origin} for it`);
    if (item.definitions) placeDefinitions(stage);
    return facts;
  });
}

function describe(name: string, origin: Origin, settings: Settings): string {
  const item = lockItem(settings.lock, name);
  if (origin === "download") return `downloading ${item.download?.version ?? item.version}`;
  if (item.source?.kind === "debian") return "unpacking Debian packages";
  return item.source?.kind === "module" ? "reading its Go module" : `building ${item.version} from source`;
}

function failure(name: string, error: Error, log: string): string {
  const tail = lastLines(log);
  return [
    `toolchain item ${name}: ${error.message}`,
    ...(tail ? [`last lines of ${log}:`, ...tail.split("\n").map((line) => `  ${line}`)] : []),
    `to try only this again: npm run toolchain -- build ${name}`,
  ].join("\n");
}
