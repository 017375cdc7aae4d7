import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { check, type Placed, type Report } from "../policy/check";
import { type Reading, readDocuments } from "../policy/documents";
import { formatUnused, formatWaiver } from "../policy/exemption";
import { EXEMPTIONS } from "../policy/exemptions";
import { CONFIG, type PolicySettings, readSettings } from "../policy/settings";
import { DEFAULT_NAME } from "../sandbox/layout";
import type { Choice } from "./cluster";
import { fail, UsageError } from "./errors";
import { checkStack } from "./stacks";

const HELP = `npm run policy:check -- PATH… [--config FILE] [--json] [--complete|--partial]
npm run policy:check -- --stack NAME [--name CLUSTER] [--context NAME] [--config FILE] [--json]

Holds the project's rules against Kubernetes manifests: files of YAML or JSON, and folders of such files; or the objects of
a running stack. Of Secrets it reads names and the names of keys.

  --config FILE  levels, options and exemptions (default policy/config/prod.json); dev, qa and prod name those of the project
  --json         an array of {file, index, kind, name, namespace, rule, controls, level, path, message}
  --stack NAME   a stack that runs, dev, qa or prod, with the levels of that environment
  --name CLUSTER on which local cluster (default "${DEFAULT_NAME}")
  --context NAME on the cluster that this context of your kubeconfig names
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
  readonly settings: PolicySettings;
  /** Not given: told from how many objects there are. */
  readonly complete?: boolean | undefined;
  readonly isStack?: true;
}

type Files = Pick<Input, "documents" | "unreadable" | "foreign">;

/** A folder may hold files of other making, such as a chart's values; a file that is named may not. */
function take(input: Files, file: string, reading: Reading, isNamed: boolean): void {
  const told = (faults: Reading["unreadable"]): string[] => faults.map(({ line, why }) => `${file}:${line}: ${why}`);
  const isForeign = !isNamed && reading.documents.length === 0 && reading.unreadable.length === 0;
  input.documents.push(...reading.documents.map((document) => ({ ...document, file })));
  input.unreadable.push(...told(reading.unreadable), ...(isForeign ? [] : told(reading.foreign)));
  if (isForeign && reading.foreign.length > 0) input.foreign.push(file);
}

function read(places: readonly string[]): Files {
  const input: Files = { documents: [], unreadable: [], foreign: [] };
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

/** The images that a stack may run are those of its cluster's lock and of its registry, as when it was deployed. */
function withOrigins({ objects, stack }: PolicySettings, origins: readonly string[]): PolicySettings {
  const imagesFrom = [...objects.options.imagesFrom, ...origins];
  return { stack, objects: { ...objects, options: { ...objects.options, imagesFrom } } };
}

async function inputOfStack(stack: string, config: string | undefined, choice: Choice): Promise<Input> {
  const settings = settingsFrom(config ?? stack);
  // Only now, for it takes four times as long to load as files take to be judged: it knows clusters and toolchains.
  const { readStack } = createRequire(__filename)("./stackObjects") as typeof import("./stackObjects");
  const { documents, unread, origins } = await readStack(stack, choice);
  // What could not be read is not missing.
  const complete = unread.length === 0;
  return {
    documents,
    unreadable: unread,
    foreign: [],
    settings: withOrigins(settings, origins),
    complete,
    isStack: true,
  };
}

const OPTIONS = {
  config: { type: "string" },
  json: { type: "boolean" },
  complete: { type: "boolean" },
  partial: { type: "boolean" },
  stack: { type: "string" },
  name: { type: "string" },
  context: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

type Flags = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

async function inputOf(places: readonly string[], flags: Flags): Promise<Input> {
  const { name, context, config, complete, partial } = flags;
  if (complete && partial) throw new UsageError("--complete and --partial exclude each other");
  if (flags.stack === undefined) {
    if (name !== undefined || context !== undefined) throw new UsageError("--name and --context are for --stack");
    if (places.length === 0) throw new UsageError("no path is given: npm run policy:check -- PATH…");
    const settings = settingsFrom(config ?? "prod");
    return { ...read(places), settings, complete: complete ?? (partial ? false : undefined) };
  }
  if (places.length > 0 || complete || partial)
    throw new UsageError("--stack reads a whole cluster's stack: take it without paths, --complete and --partial");
  return inputOfStack(checkStack(flags.stack), config, {
    name: name ?? DEFAULT_NAME,
    ...(context === undefined ? {} : { context }),
  });
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: OPTIONS });
  if (values.help) return console.log(HELP);
  const input = await inputOf(positionals, values);
  const report = check(input.documents, input.settings, input.complete);
  const isBroken = report.rows.some(({ level }) => level === "mandatory");
  if (values.json) console.log(JSON.stringify(report.rows, null, 2));
  else
    console.log([...report.rows.map(({ file, message }) => `${file}: ${message}`), summary(input, report)].join("\n"));
  remarks(input, report).forEach((line) => console.error(line));
  process.exitCode = input.unreadable.length > 0 ? 2 : isBroken ? 1 : 0;
}

function summary({ documents }: Input, { rows }: Report): string {
  const mandatory = rows.filter(({ level }) => level === "mandatory").length;
  return `${documents.length} objects: ${mandatory} violations, ${rows.length - mandatory} warnings`;
}

/** Not part of the findings, and so beside them. */
function remarks(input: Input, report: Report): string[] {
  const { settings } = input;
  const used = report.waived.map(({ by }) => by);
  // Those of the project are for its own objects, which need not be among these.
  const isOwn = settings.objects.exemptions.some((each) => !EXEMPTIONS.includes(each));
  return [
    ...input.unreadable.map((fault) => `unreadable: ${fault}`),
    ...input.foreign.map((file) => `left out: ${file} holds no Kubernetes objects`),
    ...report.waived.map(({ file, finding, by }) => `${file}: ${formatWaiver(finding, by)}`),
    ...(isOwn || input.isStack ? formatUnused(settings.objects.exemptions, used) : []),
  ];
}

// 1 says that rules are broken, and nothing else does.
main(process.argv.slice(2)).catch((error: Error) => fail(new UsageError(error.message)));
