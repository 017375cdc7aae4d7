import { ensure } from "../toolchain";
import { treeSize } from "../toolchain/goCaches";
import { decideLocally } from "../toolchain/plan";
import { prune } from "../toolchain/prune";
import { settingsFrom } from "../toolchain/settings";
import { survey } from "../toolchain/survey";
import { table } from "../toolchain/table";
import { UsageError, fail } from "./errors";

const HELP = `usage: npm run toolchain -- build [ITEM…]   bring items to this machine; without a name, all it can
       npm run toolchain -- list [ITEM…]    where items are now; looks at this machine alone
       npm run toolchain -- path ITEM…      bring items and print the directory to put first on PATH
       npm run toolchain -- prune [--all]   remove what built the items, and items no longer in the lock and unused
                                            for a week; with --all, also those used by another clone

  PLATFORM_SOURCE=auto|download|build   where items come from (default: download where the publisher answers)
  PLATFORM_PRESENT=ignore               do not use what the machine already has
  PLATFORM_CACHE=DIR                    where items are kept
  PLATFORM_DOWNLOAD_ORIGIN=URL          a mirror: URL/<publisher's host>/<path>
  PLATFORM_GO_CACHE=DIR                 Go caches to share; they are then never pruned`;

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<void> | void>> = {
  build,
  list,
  path: printPath,
  prune: pruneCache,
};

async function build(items: readonly string[]): Promise<void> {
  const chosen = items.length > 0 ? items : await possibleItems();
  await ensure(chosen);
  console.log(`ready: ${chosen.join(", ")}`);
}

async function possibleItems(): Promise<string[]> {
  const { rows } = await survey(settingsFrom());
  for (const row of rows) if (row.missing) console.error(`passing over ${row.item}: ${row.missing}`);
  return rows.filter((row) => row.ok).map((row) => row.item);
}

function list(items: readonly string[]): void {
  const settings = settingsFrom();
  const names = items.length > 0 ? items : Object.keys(settings.lock.items);
  const rows = names.map((name) => {
    const decision = decideLocally(name, settings);
    if (decision?.how === "present") return [name, "the machine's own", decision.text];
    if (decision?.how !== "stored") return [name, "not here", `npm run toolchain -- build ${name}`];
    return [
      name,
      decision.origin === "download" ? "downloaded" : "from source",
      `${decision.directory} (${megabytes(treeSize(decision.directory))})`,
    ];
  });
  console.log(table(["ITEM", "STATE", "WHERE"], rows));
}

async function printPath(items: readonly string[]): Promise<void> {
  console.log((await ensure(items)).path);
}

function pruneCache(args: readonly string[]): void {
  const { removed, kept } = prune(settingsFrom(), { all: args.includes("--all") });
  for (const { path, bytes } of removed) console.log(`removed ${path} (${megabytes(bytes)})`);
  for (const reason of kept) console.log(`kept ${reason}`);
  console.log(`freed ${megabytes(removed.reduce((sum, { bytes }) => sum + bytes, 0))}`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function check(command: string, args: readonly string[]): void {
  const see = "see npm run toolchain -- --help";
  const commands = Object.keys(COMMANDS).join(", ");
  if (command === "") throw new UsageError(`name a command: ${commands}; ${see}`);
  if (!(command in COMMANDS)) throw new UsageError(`unknown command "${command}"; known are ${commands}; ${see}`);
  const known = command === "prune" ? ["--all"] : Object.keys(settingsFrom().lock.items);
  const unknown = args.find((arg) => !known.includes(arg));
  if (unknown !== undefined)
    throw new UsageError(`${command} does not know "${unknown}"; it takes ${known.join(", ")}`);
  if (command === "path" && args.length === 0) throw new UsageError(`path needs at least one item; ${see}`);
}

async function main([command = "", ...args]: readonly string[]): Promise<void> {
  if ([command, ...args].some((arg) => arg === "--help" || arg === "-h")) return console.log(HELP);
  check(command, args);
  await COMMANDS[command]?.(args);
}

main(process.argv.slice(2)).catch(fail);
