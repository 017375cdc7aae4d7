import * as fs from "node:fs";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { LABEL } from "../components/lib/appConfig";
import { NAME } from "../components/lib/configReader";
import { type EntryFields, withApp } from "./appEntry";
import { UsageError, fail } from "./errors";
import { ROOT } from "./session";
import { STACKS } from "./stacks";

const HELP = `npm run app -- new NAME [--port PORT] [--host LABEL]

Starts an application: its source, its Dockerfile and a test in apps/NAME, and an entry for it in each stack file, which makes
it run. Nothing is written where any of it is there already. docs/apps.md leads on from there.

  NAME          1 to 30 lower-case letters, digits and dashes, a letter first
  --port PORT   where it listens (default 3000)
  --host LABEL  under which browsers find it: LABEL.<domain of the environment> (default NAME)`;

const TEMPLATE = path.join(ROOT, "templates", "app");
/** Ports below are for those with more rights than an application gets. */
const LEAST_PORT = 1024;

interface Wanted {
  readonly name: string;
  readonly port: number;
  readonly host: string;
}

interface StackFile {
  readonly stack: string;
  readonly file: string;
  readonly text: string;
  readonly apps: Readonly<Record<string, { readonly host?: string }>>;
}

const stackFiles = (root: string): StackFile[] =>
  STACKS.map((stack) => {
    const file = path.join(root, `Pulumi.${stack}.yaml`);
    const text = fs.readFileSync(file, "utf8");
    const { config } = (parse(text) ?? {}) as { config?: { "platform:apps"?: StackFile["apps"] } };
    return { stack, file, text, apps: config?.["platform:apps"] ?? {} };
  });

function check(root: string, { name, port, host }: Wanted, files: readonly StackFile[]): void {
  const faults: string[] = [];
  if (!NAME.test(name))
    faults.push(`"${name}" is no name: 1 to 30 lower-case letters, digits and dashes, a letter first`);
  else if (fs.existsSync(path.join(root, "apps", name)))
    faults.push(`apps/${name} is there already: take another name`);
  if (!Number.isInteger(port) || port < LEAST_PORT || port > 65_535)
    faults.push(`--port ${port} is none for an application: take ${LEAST_PORT} to 65535`);
  if (!LABEL.test(host)) faults.push(`--host "${host}" is no label: lower-case letters, digits and dashes`);
  for (const { file, apps } of files) {
    const place = `platform:apps in ${path.basename(file)}`;
    if (apps[name]) faults.push(`${place} has an entry ${name} already`);
    const taken = Object.entries(apps).find(([other, app]) => other !== name && app.host === host)?.[0];
    if (taken) faults.push(`${place} gives the host "${host}" to ${taken}: take another with --host`);
  }
  if (faults.length > 0) throw new UsageError(`nothing was written:\n  ${faults.join("\n  ")}`);
}

/** The first stage builds, and each later one runs what the one before it ran. */
function entryOf({ name, port, host }: Wanted, stage: number): EntryFields {
  const before = STACKS[stage - 1];
  return { ...(before ? { from: before } : { source: `apps/${name}` }), port, host };
}

/** Writes the application and its entries below this folder; resolves to the files. */
export function createApp(root: string, wanted: Wanted): string[] {
  const files = stackFiles(root);
  check(root, wanted, files);
  const target = path.join(root, "apps", wanted.name);
  const filled = (text: string): string =>
    text.replaceAll("__NAME__", wanted.name).replaceAll("__PORT__", String(wanted.port));
  const sources = fs
    .readdirSync(TEMPLATE, { recursive: true, encoding: "utf8" })
    .filter((file) => fs.statSync(path.join(TEMPLATE, file)).isFile());
  for (const source of sources) {
    fs.mkdirSync(path.dirname(path.join(target, source)), { recursive: true });
    fs.writeFileSync(path.join(target, source), filled(fs.readFileSync(path.join(TEMPLATE, source), "utf8")));
  }
  files.forEach(({ file, text }, stage) => fs.writeFileSync(file, withApp(text, wanted.name, entryOf(wanted, stage))));
  return [
    ...sources.map((source) => path.join("apps", wanted.name, source)).sort(),
    ...files.map(({ file }) => path.basename(file)),
  ];
}

function main(args: string[]): void {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { port: { type: "string" }, host: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(HELP);
  const [action, name, ...more] = positionals;
  if (action !== "new" || !name || more.length > 0)
    throw new UsageError(`"${positionals.join(" ")}" is nothing to do: npm run app -- new NAME; --help says more`);
  const wanted = { name, port: Number(values.port ?? 3000), host: values.host ?? name };
  for (const file of createApp(ROOT, wanted)) console.log(file);
  console.log(`
next: npm test --prefix apps/${name}
      npm run up                 builds and runs it in dev, and prints where it answers`);
}

if (require.main === module)
  try {
    main(process.argv.slice(2));
  } catch (error) {
    fail(error as Error);
  }
