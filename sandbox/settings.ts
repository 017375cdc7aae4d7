import * as fs from "node:fs";
import * as path from "node:path";
import { Layout, SLOTS, checkName, filesOf, layoutOf, sandboxDir, sandboxesDir } from "./layout";
import { exclusively } from "../toolchain/exclusive";

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
  return exclusively(path.join(sandboxesDir(), ".slots.lock"), () => Promise.resolve(takeSlot(name)));
}

function takeSlot(name: string): Layout {
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
}

/** Runs `work` while no other command works on the sandbox; the lock lies beside its directory, which may go away. */
export function alone<T>(layout: Layout, work: () => Promise<T>): Promise<T> {
  return exclusively(`${layout.dir}.lock`, work, (holder) =>
    console.error(`waiting for ${holder}, which works on sandbox "${layout.name}"`),
  );
}
