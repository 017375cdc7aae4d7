import * as fs from "node:fs";
import * as path from "node:path";
import { Layout, SLOTS, checkName, filesOf, layoutOf, sandboxDir, sandboxesDir } from "./layout";
import { ProcessId, identify, isAlive, until } from "./processes";

/** What a sandbox remembers of itself: its slot. All else follows from it. */
interface Settings {
  readonly slot: number;
}

function readSettings(dir: string): Settings | undefined {
  try {
    const settings = JSON.parse(fs.readFileSync(filesOf(dir).settings, "utf8")) as Settings;
    return Number.isInteger(settings.slot) ? settings : undefined;
  } catch {
    return undefined;
  }
}

export function existing(name: string): Layout | undefined {
  const settings = readSettings(sandboxDir(name));
  return settings && layoutOf(name, settings.slot);
}

export function allSandboxes(): string[] {
  if (!fs.existsSync(sandboxesDir())) return [];
  return fs.readdirSync(sandboxesDir()).filter((name) => readSettings(path.join(sandboxesDir(), name)));
}

/** The sandbox's layout; a new sandbox takes the lowest slot that no other one on this machine holds. */
export async function claim(name: string): Promise<Layout> {
  checkName(name);
  const found = existing(name);
  if (found) return found;
  fs.mkdirSync(sandboxesDir(), { recursive: true, mode: 0o700 });
  return withLock(path.join(sandboxesDir(), ".slots.lock"), "another sandbox to choose its addresses", () => {
    const raced = existing(name);
    if (raced) return raced;
    const used = new Set(allSandboxes().map((other) => readSettings(path.join(sandboxesDir(), other))?.slot));
    // A bridge of that slot may belong to a sandbox with another cache directory.
    const isFree = (slot: number): boolean =>
      !used.has(slot) && !fs.existsSync(`/sys/class/net/${layoutOf(name, slot).bridge}`);
    const slot = Array.from({ length: SLOTS }, (_, index) => index).find(isFree);
    if (slot === undefined) {
      throw new Error(
        `all ${SLOTS} sandbox slots are taken: end one first (npm run sandbox -- down --name NAME; here: ${allSandboxes().join(", ")})`,
      );
    }
    const dir = sandboxDir(name);
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    fs.writeFileSync(filesOf(dir).settings, JSON.stringify({ slot } satisfies Settings));
    return layoutOf(name, slot);
  });
}

/** Runs `work` while no other process of this machine holds the lock file. A holder that died does not count. */
export async function withLock<T>(file: string, waitingFor: string, work: () => T | Promise<T>): Promise<T> {
  const me = identify(process.pid);
  const mine = JSON.stringify(me);
  const candidate = `${file}.${process.pid}`;
  const take = (): boolean => {
    // link() of a finished file is atomic: a lock is never seen half-written.
    fs.writeFileSync(candidate, mine);
    try {
      fs.linkSync(candidate, file);
      return true;
    } catch {
      const holder = readHolder(file);
      if (!holder || isAlive(holder)) return false;
      const stale = `${file}.stale.${process.pid}`;
      try {
        fs.renameSync(file, stale);
        fs.rmSync(stale);
      } catch {
        // Somebody else cleared it.
      }
      return false;
    } finally {
      fs.rmSync(candidate, { force: true });
    }
  };
  if (!take()) {
    let said = false;
    await until(
      () => {
        if (take()) return true;
        const holder = readHolder(file);
        if (!said && holder) console.error(`waiting for ${waitingFor} (process ${holder.pid}) …`);
        said = said || holder !== undefined;
        return false;
      },
      Number.MAX_SAFE_INTEGER,
      50,
    );
  }
  try {
    return await work();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function readHolder(file: string): ProcessId | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as ProcessId;
  } catch {
    return undefined;
  }
}
