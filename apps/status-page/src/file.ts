import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { History, isSaved } from "./history";
import { log } from "./log";

const VERSION = 1;

/** What was kept, by endpoint. A file that says something else is set aside: the page is needed most when much is broken. */
export async function load(file: string): Promise<Map<string, History>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw error;
  }
  const found = parse(text);
  if (found) return found;
  const aside = `${file}.broken`;
  await rename(file, aside);
  log("error", `${file} holds no history: it is set aside as ${aside}, and a new one begins`);
  return new Map();
}

function parse(text: string): Map<string, History> | undefined {
  try {
    const { version, endpoints } = JSON.parse(text) as { version?: unknown; endpoints?: Record<string, unknown> };
    const entries = Object.entries(endpoints ?? {});
    if (version !== VERSION || !entries.every(([, each]) => isSaved(each))) return undefined;
    return new Map(entries.flatMap(([key, each]) => (isSaved(each) ? [[key, History.from(each)]] : [])));
  } catch {
    return undefined;
  }
}

/** All or nothing, whatever is killed meanwhile: written beside, to the disk, then put in place. */
export async function save(file: string, histories: ReadonlyMap<string, History>): Promise<void> {
  const beside = `${file}.new`;
  await flushed(beside, "w", (handle) =>
    handle.writeFile(JSON.stringify({ version: VERSION, endpoints: Object.fromEntries(histories) })),
  );
  await rename(beside, file);
  await flushed(dirname(file), "r");
}

type Handle = Awaited<ReturnType<typeof open>>;

async function flushed(path: string, flags: string, work?: (handle: Handle) => Promise<void>): Promise<void> {
  const handle = await open(path, flags);
  try {
    await work?.(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
