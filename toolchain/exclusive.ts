import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ProcessIdentity, isAlive, thisProcess } from "./processes";

const POLL_MS = 200;
const HEARTBEAT_MS = 10_000;
/** A holder on another host or in another container is judged by its heartbeat alone. */
const SILENT_MS = 60_000;

/**
 * Runs `work` while holding `file`. A second process waits; a holder that died is replaced.
 * The lock appears complete (link of a finished file), so no reader ever sees half of it.
 */
export async function exclusively<T>(
  file: string,
  work: () => Promise<T>,
  onWait: (holder: string) => void = () => {},
): Promise<T> {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  let told = false;
  while (!take(file)) {
    if (breakDead(file)) continue;
    if (!told) onWait(`process ${holderOf(file)?.pid ?? "unknown"}`);
    told = true;
    await sleep(POLL_MS);
  }
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    fs.rmSync(file, { force: true });
  }
}

/** The process that holds a lock now, if one does and is alive. */
export function holderOf(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

let counter = 0;
function take(file: string): boolean {
  const own = `${file}.${process.pid}.${counter++}`;
  fs.writeFileSync(own, JSON.stringify(thisProcess()));
  try {
    fs.linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    fs.rmSync(own, { force: true });
  }
}

/**
 * Removes the lock of a dead holder; true when it is worth trying again at once. Two waiters may find the same dead
 * holder: the guard makes them take turns, or the slower one would remove the lock the faster one has just taken.
 */
function breakDead(file: string): boolean {
  if (!isDead(file)) return false;
  const guard = `${file}.breaking`;
  if (!take(guard)) {
    if (isDead(guard)) fs.rmSync(guard, { force: true });
    return false;
  }
  try {
    if (isDead(file)) fs.rmSync(file, { force: true });
    return true;
  } finally {
    fs.rmSync(guard, { force: true });
  }
}

function isDead(file: string): boolean {
  const holder = holderOf(file);
  const age = Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  const alive = holder ? isAlive(holder) : undefined;
  return alive === undefined ? age > SILENT_MS : !alive;
}

function touch(file: string): void {
  const now = new Date();
  try {
    fs.utimesSync(file, now, now);
  } catch {
    // The lock file vanished with the whole cache; the work itself will say so.
  }
}
