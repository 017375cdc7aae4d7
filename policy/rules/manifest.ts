export type Manifest = Readonly<Record<string, unknown>>;

/** Stands where a preview cannot know the value yet. Looking inside it gives it again, so one unknown leaf never hides its siblings. */
export const UNKNOWN: unique symbol = Symbol("known only after deployment");

/** A value together with the field path a reader would type to find it. */
export interface Located {
  readonly path: string;
  readonly value: unknown;
}

type Key = string | number;

export function field(value: unknown, key: Key): unknown {
  if (value === UNKNOWN) return UNKNOWN;
  // Own properties only: a label called "constructor" must not find Object's.
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<Key, unknown>)[key];
}

export function at(value: unknown, ...keys: Key[]): unknown {
  return keys.reduce(field, value);
}

function join(path: string, key: Key): string {
  if (typeof key === "number") return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** Steps into a field. Below an unknown value the path stays where the knowledge ends. */
export function into(from: Located, ...keys: Key[]): Located {
  return keys.reduce<Located>(
    (node, key) => (node.value === UNKNOWN ? node : { path: join(node.path, key), value: field(node.value, key) }),
    from,
  );
}

export function elements(from: Located): Located[] {
  if (from.value === UNKNOWN) return [from];
  if (!Array.isArray(from.value)) return [];
  // Not map, which leaves the holes of a sparse list as they are.
  return Array.from(from.value, (_, index) => into(from, index));
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function kindOf(manifest: Manifest): string {
  return text(manifest.kind) ?? "";
}

/** "" is the core group; undefined means that the manifest does not say. */
export function groupOf(manifest: Manifest): string | undefined {
  const version = text(manifest.apiVersion);
  if (version === undefined) return undefined;
  const slash = version.indexOf("/");
  return slash < 0 ? "" : version.slice(0, slash);
}

const LONGEST_QUOTE = 60;

/** How a message quotes a value that it found. */
export function quote(value: unknown): string {
  if (value === UNKNOWN) return "known only after deployment";
  if (value === undefined) return "not set";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value === null) return "null";
  if (typeof value !== "string") return `a value of type ${typeof value}`;
  return JSON.stringify(value.length > LONGEST_QUOTE ? `${value.slice(0, LONGEST_QUOTE)}…` : value);
}
