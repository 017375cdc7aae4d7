import { diskFree, diskNeeded } from "../toolchain/disk";
import { type Fact, kubeconfigIn, machineFacts } from "../toolchain/machine";
import { type Settings, settingsFrom } from "../toolchain/settings";
import { type Row, type Survey, survey } from "../toolchain/survey";
import { table } from "../toolchain/table";
import { UsageError, fail } from "./errors";

const HELP = `usage: npm run doctor

Lists what this machine has, where each part of the platform would come from, what is missing and how to get it.
Nothing is fetched, built or changed. Exit code 0 if this machine can bring the platform up, else 1.

  PLATFORM_SOURCE=auto|download|build   where parts come from (default: download where the publisher answers)
  PLATFORM_PRESENT=ignore               do not use what the machine already has
  PLATFORM_CACHE=DIR                    where parts are kept`;

async function doctor(): Promise<number> {
  const settings = settingsFrom();
  const facts = machineFacts(settings);
  const found = await survey(settings);
  printItems(found.rows);
  printMachine(facts);
  const disk = printDisk(found, settings);
  return verdict(found.rows, facts, disk);
}

function printItems(rows: readonly Row[]): void {
  const cells = rows.map((row) => [row.item, row.purpose, row.wanted, row.present, row.path]);
  console.log(table(["ITEM", "FOR", "WANTED", "ON THIS MACHINE", "COMES FROM"], cells));
  for (const row of rows) if (row.missing) console.log(`\n${row.item}: ${row.missing}`);
}

function printMachine(facts: readonly Fact[]): void {
  const cells = facts.map((fact) => [
    fact.name,
    fact.ok ? "yes" : "NO",
    fact.for,
    fact.text + (fact.ok ? "" : `; ${fact.remedy}`),
  ]);
  console.log(`\n${table(["MACHINE", "FIT", "NEEDED FOR", ""], cells)}`);
}

function printDisk({ decisions }: Survey, settings: Settings): boolean {
  const needed = diskNeeded(decisions, settings);
  const free = diskFree(settings.cache.root);
  const ok = free >= needed;
  console.log(
    `\ncache ${settings.cache.root}: ${free.toFixed(1)} GB free, up to ${needed.toFixed(1)} GB needed${ok ? "" : ": TOO LITTLE; set PLATFORM_CACHE to a larger disk"}`,
  );
  return ok;
}

/** The engine always; and a cluster in one of three ways. */
function verdict(rows: readonly Row[], facts: readonly Fact[], disk: boolean): number {
  const lacks = (...purposes: string[]): string[] =>
    rows.filter((row) => purposes.includes(row.purpose) && !row.ok).map((row) => row.item);
  const unfit = (purpose: Fact["for"]): string[] =>
    facts.filter((fact) => fact.for === purpose && !fact.ok).map((fact) => fact.name);
  const always = [...unfit("everything"), ...lacks("engine", "docker", "crds"), ...(disk ? [] : ["disk"])];
  const ways: [string, string[]][] = [
    ["a local cluster", [...unfit("local cluster"), ...lacks("cluster", "images")]],
    ["a kind cluster", [...unfit("kind"), ...lacks("kind")]],
    ["a cluster of yours (--context)", kubeconfigIn(process.env) ? [] : ["a kubeconfig"]],
  ];
  console.log("");
  for (const [way, obstacles] of ways)
    console.log(`${way}: ${obstacles.length === 0 ? "possible" : `not without ${obstacles.join(", ")}`}`);
  const able = always.length === 0 && ways.some(([, obstacles]) => obstacles.length === 0);
  console.log(
    able
      ? "This machine can bring the platform up: npm run up"
      : `This machine cannot bring the platform up yet${always.length > 0 ? `: ${always.join(", ")}` : ""}`,
  );
  return able ? 0 : 1;
}

async function main([argument]: readonly string[]): Promise<void> {
  if (argument === "--help" || argument === "-h") return console.log(HELP);
  if (argument !== undefined)
    throw new UsageError(`doctor takes no argument "${argument}"; see npm run doctor -- --help`);
  process.exitCode = await doctor();
}

main(process.argv.slice(2)).catch(fail);
