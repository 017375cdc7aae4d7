/** What Kubernetes remembers of who wrote which field: sets of paths as nested objects (FieldsV1). */
export interface FieldSet {
  readonly [step: string]: FieldSet;
}

export interface Ownership {
  readonly manager: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: FieldSet;
}

/** A way into an object, in the steps of FieldsV1: `f:spec`, `k:{"name":"web"}`, `v:"a"`, and `i:2` in lists without keys. */
export type Path = readonly string[];

const OWN = ".";

export function merged(a: FieldSet = {}, b: FieldSet = {}): FieldSet {
  const both = Object.keys(b).filter((step) => step in a);
  return { ...a, ...b, ...Object.fromEntries(both.map((step) => [step, merged(a[step], b[step])])) };
}

/** The set below a path; a leaf on the way, such as a list that has one owner, is the last that is known. */
export function below(set: FieldSet | undefined, [step, ...rest]: Path): FieldSet | undefined {
  if (set === undefined || step === undefined) return set;
  if (Object.keys(set).length === 0) return set;
  return below(set[step], rest);
}

export function only(set: FieldSet, [step, ...rest]: Path): FieldSet {
  const child = step === undefined ? undefined : set[step];
  if (step === undefined) return set;
  return child ? { [step]: only(child, rest) } : {};
}

export function without(set: FieldSet, [step, ...rest]: Path): FieldSet {
  const child = step === undefined ? undefined : set[step];
  if (step === undefined || !child) return set;
  const kept = rest.length === 0 ? {} : without(child, rest);
  const others = Object.fromEntries(Object.entries(set).filter(([each]) => each !== step));
  return Object.keys(kept).length === 0 ? others : { ...others, [step]: kept };
}

/** The topmost paths that are in one set and have nothing of the other: what its owner added. */
export function beyond(theirs: FieldSet, ours: FieldSet | undefined, at: Path = []): Path[] {
  const steps = Object.keys(theirs).filter((step) => step !== OWN);
  const whole = OWN in theirs && /^[kv]:/.test(at.at(-1) ?? "");
  if (ours === undefined && (steps.length === 0 || whole)) return [at];
  // Where ours is a leaf, the whole below it is.
  if (ours !== undefined && Object.keys(ours).length === 0) return [];
  return steps.flatMap((step) => beyond(theirs[step] ?? {}, ours?.[step], [...at, step]));
}

/** Whose word a field is: of those who name it, or the whole that it is part of, the one who wrote last. */
export function ownerOf(owners: readonly Ownership[], path: Path): Ownership | undefined {
  return owners
    .filter(({ fieldsV1 }) => below(fieldsV1, path) !== undefined)
    .sort((a, b) => (b.time ?? "").localeCompare(a.time ?? ""))[0];
}

/** As people write it: `spec.template.spec.containers[name=web].image`. */
export function shown(path: Path): string {
  const steps = path.map((step) => {
    const rest = step.slice(2);
    if (step.startsWith("f:")) return /^[\w-]+$/.test(rest) ? `.${rest}` : `[${JSON.stringify(rest)}]`;
    if (step.startsWith("i:")) return `[${rest}]`;
    if (step.startsWith("v:")) return `[=${rest}]`;
    const keys = Object.entries(JSON.parse(rest) as Record<string, unknown>);
    return `[${keys.map(([key, value]) => `${key}=${String(value)}`).join(",")}]`;
  });
  return steps.join("").replace(/^\./, "");
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What an object has at a path. */
export function valueAt(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return value;
  const name = step.slice(2);
  if (step.startsWith("f:")) return isObject(value) ? valueAt(value[name], rest) : undefined;
  if (!Array.isArray(value)) return undefined;
  const items: readonly unknown[] = value;
  if (step.startsWith("i:")) return valueAt(items[Number(name)], rest);
  if (step.startsWith("v:")) return items.find((item) => JSON.stringify(item) === name);
  return valueAt(
    items.find((item) => isObject(item) && has(item, name)),
    rest,
  );
}

/** Keys that are left to their default are not in every item. */
const has = (item: Readonly<Record<string, unknown>>, keys: string): boolean =>
  Object.entries(JSON.parse(keys) as Record<string, unknown>).every(([key, value]) => (item[key] ?? value) === value);

/** The steps by which the items of a list are known, where the list has keys; undefined where it is one whole. */
export function keysOf(set: FieldSet | undefined, items: readonly unknown[]): Map<string, unknown> | undefined {
  const steps = Object.keys(set ?? {}).filter((step) => /^[kv]:/.test(step));
  const [first] = steps;
  if (first === undefined) return undefined;
  const names = first.startsWith("k:") ? Object.keys(JSON.parse(first.slice(2)) as object) : [];
  const found = items.map((item): [string, unknown] => {
    if (names.length === 0 || !isObject(item)) return [`v:${JSON.stringify(item)}`, item];
    const known = steps.find((step) => step.startsWith("k:") && has(item, step.slice(2)));
    return [known ?? `k:${JSON.stringify(Object.fromEntries(names.map((name) => [name, item[name]])))}`, item];
  });
  return new Map(found);
}
