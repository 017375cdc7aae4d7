import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fields, Recording, Registered } from "../unit/components/recorder";

const DIRECTORY = join(__dirname, "golden");
const SHOWN = 60;
const WIDTH = 110;

/** A whole stack in a form that a reviewer reads and a diff shows: one entry for each resource, in one order. */
export interface Golden {
  readonly resources: Readonly<Record<string, Fields>>;
  readonly outputs: Fields;
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
};

/** Type and name of a URN. */
const shortOf = (urn: string): string => urn.split("::").slice(2, 4).join(" ").replace(/^.*\$/, "");

function entryOf({ inputs, parent, provider, options, read, custom }: Registered): Fields {
  const parentName = shortOf(parent);
  return {
    ...(read ? { read: true } : {}),
    ...(parentName && !parentName.startsWith("pulumi:pulumi:Stack ") ? { parent: parentName } : {}),
    ...(provider ? { provider: shortOf(provider) } : {}),
    ...(Object.keys(options).length > 0 ? { options } : {}),
    ...(custom ? { inputs: texts(inputs) } : {}),
  };
}

/** Provider inputs hold JSON within texts, which nobody can read. */
const texts = (inputs: Fields): Fields =>
  Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, opened(value)]));

function opened(value: unknown): unknown {
  if (typeof value !== "string" || !/^[[{].*[\]}]$/s.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

export function goldenOf({ resources, outputs }: Recording): Golden {
  const entries = resources
    .filter(({ type }) => type !== "pulumi:pulumi:Stack")
    .map((each) => [`${each.type} ${each.name}`, entryOf(each)] as const);
  return sorted({ resources: Object.fromEntries(entries), outputs }) as Golden;
}

const fileOf = (stack: string): string => join(DIRECTORY, `${stack}.json`);

export function readGolden(stack: string): Golden | undefined {
  const file = fileOf(stack);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Golden) : undefined;
}

export function writeGolden(stack: string, golden: Golden): void {
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(fileOf(stack), `${layOut(golden)}\n`);
}

/** JSON with a line for what fits on one: a third of the length, and as easy to compare. */
function layOut(value: unknown, indent = ""): string {
  const flat = JSON.stringify(value);
  if (flat.length + indent.length <= WIDTH || typeof value !== "object" || value === null) return flat;
  const deeper = `${indent}  `;
  const lines = Array.isArray(value)
    ? value.map((each) => deeper + layOut(each, deeper))
    : Object.entries(value).map(([key, each]) => `${deeper}${JSON.stringify(key)}: ${layOut(each, deeper)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

function leaves(value: unknown, path: string, into: Map<string, string>): Map<string, string> {
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0)
    return into.set(path, JSON.stringify(value));
  for (const [key, each] of Object.entries(value)) leaves(each, `${path} › ${key}`, into);
  return into;
}

/** What a change does, a line for each value; whole resources that come or go in one line. */
export function differences(before: Golden, after: Golden): string[] {
  const lines: string[] = [];
  const whole = { ...before.resources, ...after.resources };
  for (const key of Object.keys(whole).sort()) {
    const [was, is] = [before.resources[key], after.resources[key]];
    if (!was) lines.push(`+ ${key}`);
    else if (!is) lines.push(`- ${key}`);
    else lines.push(...changes(leaves(was, key, new Map()), leaves(is, key, new Map())));
  }
  lines.push(...changes(leaves(before.outputs, "outputs", new Map()), leaves(after.outputs, "outputs", new Map())));
  const rest = lines.length - SHOWN;
  return rest > 0 ? [...lines.slice(0, SHOWN), `… and ${rest} more`] : lines;
}

function changes(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((path) => {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === is) return [];
    if (was === undefined) return [`+ ${path}: ${is}`];
    if (is === undefined) return [`- ${path}: ${was}`];
    return [`~ ${path}: ${was} → ${is}`];
  });
}
