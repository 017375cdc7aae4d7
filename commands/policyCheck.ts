import * as fs from "node:fs";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { check, type Placed, type Report } from "../policy/check";
import { type Reading, readDocuments } from "../policy/documents";
import { formatExemption, formatWaiver, unused } from "../policy/exemption";
import { EXEMPTIONS } from "../policy/exemptions";
import { CONFIG, type PolicySettings, readSettings } from "../policy/settings";
import { fail, UsageError } from "./errors";

const HELP = `npm run policy:check -- PATH… [--config FILE] [--json] [--complete|--partial]

Holds the project's rules against Kubernetes manifests: files of YAML or JSON, and folders of such files.

  --config FILE  levels, options and exemptions (default policy/config/prod.json); dev, qa and prod name those of the project
  --json         an array of {file, index, kind, name, namespace, rule, controls, level, path, message}
  --complete     what is given is all there will be: what is not in it is missing (default for more than one object)
  --partial      other objects exist: whatever would need them is not judged (default for a single object)

docs/policies.md describes every rule. Exit code 0 if nothing mandatory is broken, 1 if something is, 2 if something cannot
be read or the call was wrong.`;

const KINDS_OF_FILE = [".yaml", ".yml", ".json"];

/** npm runs commands in the project's folder; paths are meant from where it was called. */
const HERE = process.env.INIT_CWD ?? process.cwd();

function filesIn(place: string): string[] {
  return fs
    .readdirSync(path.resolve(HERE, place), { withFileTypes: true })
    .filter(({ name }) => !name.startsWith(".") && name !== "node_modules")
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const inner = path.join(place, entry.name);
      if (entry.isDirectory()) return filesIn(inner);
      return entry.isFile() && KINDS_OF_FILE.includes(path.extname(entry.name).toLowerCase()) ? [inner] : [];
    });
}

interface Input {
  readonly documents: Placed[];
  readonly unreadable: string[];
  readonly foreign: string[];
}

/** A folder may hold files of other making, such as a chart's values; a file that is named may not. */
function take(input: Input, file: string, reading: Reading, isNamed: boolean): void {
  const told = (faults: Reading["unreadable"]): string[] => faults.map(({ line, why }) => `${file}:${line}: ${why}`);
  const isForeign = !isNamed && reading.documents.length === 0 && reading.unreadable.length === 0;
  input.documents.push(...reading.documents.map((document) => ({ ...document, file })));
  input.unreadable.push(...told(reading.unreadable), ...(isForeign ? [] : told(reading.foreign)));
  if (isForeign && reading.foreign.length > 0) input.foreign.push(file);
}

function read(places: readonly string[]): Input {
  const input: Input = { documents: [], unreadable: [], foreign: [] };
  for (const place of places) {
    try {
      const isNamed = !fs.statSync(path.resolve(HERE, place)).isDirectory();
      const files = isNamed ? [place] : filesIn(place);
      if (files.length === 0) input.unreadable.push(`${place}:1: holds no file of ${KINDS_OF_FILE.join(", ")}`);
      for (const file of files) take(input, file, readDocuments(fs.readFileSync(path.resolve(HERE, file))), isNamed);
    } catch (error) {
      input.unreadable.push(`${place}:1: ${(error as Error).message}`);
    }
  }
  return input;
}

function settingsFrom(config: string): PolicySettings {
  const named = path.join(CONFIG, `${config}.json`);
  const file = /^\w+$/.test(config) && fs.existsSync(named) ? named : path.resolve(HERE, config);
  try {
    return readSettings(JSON.parse(fs.readFileSync(file, "utf8")), config, "check");
  } catch (error) {
    throw new UsageError(`--config ${config}: ${(error as Error).message}`);
  }
}

function main(args: string[]): void {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      config: { type: "string" },
      json: { type: "boolean" },
      complete: { type: "boolean" },
      partial: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  if (positionals.length === 0) throw new UsageError("no path is given: npm run policy:check -- PATH…");
  if (values.complete && values.partial) throw new UsageError("--complete and --partial exclude each other");
  const settings = settingsFrom(values.config ?? "prod");
  const input = read(positionals);
  const complete = values.complete ?? (values.partial ? false : undefined);
  const report = check(input.documents, settings, complete);
  const isBroken = report.rows.some(({ level }) => level === "mandatory");
  if (values.json) console.log(JSON.stringify(report.rows, null, 2));
  else
    console.log([...report.rows.map(({ file, message }) => `${file}: ${message}`), summary(input, report)].join("\n"));
  remarks(input, report, settings).forEach((line) => console.error(line));
  process.exitCode = input.unreadable.length > 0 ? 2 : isBroken ? 1 : 0;
}

function summary({ documents }: Input, { rows }: Report): string {
  const mandatory = rows.filter(({ level }) => level === "mandatory").length;
  return `${documents.length} objects: ${mandatory} violations, ${rows.length - mandatory} warnings`;
}

/** Not part of the findings, and so beside them. */
function remarks(input: Input, report: Report, settings: PolicySettings): string[] {
  const used = report.waived.map(({ by }) => by);
  // Those of the project are for its own objects, which need not be among these.
  const isOwn = settings.objects.exemptions !== EXEMPTIONS;
  return [
    ...input.unreadable.map((fault) => `unreadable: ${fault}`),
    ...input.foreign.map((file) => `left out: ${file} holds no Kubernetes objects`),
    ...report.waived.map(({ file, finding, by }) => `${file}: ${formatWaiver(finding, by)}`),
    ...(isOwn ? unused(settings.objects.exemptions, used).map((each) => `not used: ${formatExemption(each)}`) : []),
  ];
}

try {
  main(process.argv.slice(2));
} catch (error) {
  fail(error as Error);
}
