import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type Fields, type Registered, record } from "../unit/components/recorder";

/**
 * Runs the whole program for one stack under mocks, in a process of its own as Pulumi would, and prints what it asked for:
 * `child.ts STACK RELEASES CONFIG OUTPUTS`, the releases as another stage recorded them, what replaces the stack's own values,
 * and the stack's own outputs of its last update, in JSON.
 */
const ROOT = join(__dirname, "../..");
const [stack = "", releases = "{}", changes = "{}", own = "{}"] = process.argv.slice(2);

/** The project's defaults under the stack's values, as texts: what the engine hands over. */
function configuration(): Record<string, string> {
  const read = (file: string): Fields => parse(readFileSync(join(ROOT, file), "utf8")) as Fields;
  const declared = Object.entries((read("Pulumi.yaml").config ?? {}) as Record<string, { default?: unknown }>);
  const defaults = declared.flatMap(([key, field]) => (field.default === undefined ? [] : [[key, field.default]]));
  const values = {
    ...(Object.fromEntries(defaults) as Fields),
    ...(read(`Pulumi.${stack}.yaml`).config as Fields),
    ...(JSON.parse(changes) as Fields),
  };
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, text(value)]));
}

const resources: Registered[] = [];
/** The stacks whose outputs the program read. */
const asked: string[] = [];

let ended = false;

function end(outputs: Fields, error?: string): void {
  if (ended) return;
  ended = true;
  process.stdout.write(JSON.stringify({ resources, outputs, asked, error }), () => process.exit());
}

// What an apply throws reaches no one else.
process.on("unhandledRejection", (error: Error) => end({}, error.message));

// eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded late, so that it meets the mocks
const program = (): Promise<Fields> => (require(join(ROOT, "index")) as () => Promise<Fields>)();

record(program, {
  stack,
  resources,
  config: configuration(),
  call: ({ token, inputs }) => {
    if (token !== "pulumi:pulumi:readStackOutputs") throw new Error(`nothing answers ${token}`);
    asked.push((inputs as { name: string }).name);
    const isOwn = (inputs as { name: string }).name.endsWith(`/${stack}`);
    return { outputs: isOwn ? (JSON.parse(own) as Fields) : { releases: JSON.parse(releases) as Fields } };
  },
}).then(
  ({ outputs }) => end(outputs),
  (error: Error) => end({}, error.message),
);
