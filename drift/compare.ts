import { isDeepStrictEqual } from "node:util";
import { type FieldSet, type Ownership, type Path, beyond, keysOf, merged, ownerOf, valueAt } from "./fields";

export interface LiveObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string;
    readonly managedFields?: readonly Ownership[];
  };
  readonly [field: string]: unknown;
}

export interface Difference {
  readonly path: Path;
  readonly wanted?: unknown;
  readonly found?: unknown;
  /** Who says so, where Kubernetes knows: nobody is remembered for what was taken away. */
  readonly by?: Ownership;
  readonly blocking?: true;
  /** The program leaves the field to others. */
  readonly left?: true;
}

/** What the server keeps of itself in every object. */
const SERVER = [
  "f:status",
  "f:metadata/f:managedFields",
  "f:metadata/f:resourceVersion",
  "f:metadata/f:generation",
  "f:metadata/f:uid",
  "f:metadata/f:creationTimestamp",
];

/** Marks of an operation, not of what an object shall be. */
const OPERATIONS = [
  "kubectl.kubernetes.io/restartedAt",
  "kubectl.kubernetes.io/last-applied-configuration",
  "deployment.kubernetes.io/revision",
];

/**
 * Whose fields are theirs where the program says nothing of them: the parts of Kubernetes, and the operators that the
 * platform runs. All others count as hands. A field that the program names is never theirs.
 */
const OPERATORS: readonly RegExp[] = [
  /^kube-(controller-manager|scheduler|apiserver|proxy)$/,
  /^kubelet$/,
  // Everything that was there before anybody's first apply, the server's own marks among it.
  /^before-first-apply$/,
  /^(cert-manager|cainjector|external-secrets|PrometheusOperator|prometheus-operator|traefik)/,
];

export const isHand = ({ manager, subresource }: Ownership, ours: string): boolean =>
  manager !== ours && subresource !== "status" && !OPERATORS.some((operator) => operator.test(manager));

/**
 * What is different between an object as it is and as the server would make it if the program's word was applied once more
 * (a dry run). Fields that only others name do not differ there: of those, what a hand has added counts.
 */
export function differences(
  live: LiveObject,
  applied: LiveObject,
  ours: string,
  ignored: readonly Path[],
): Difference[] {
  const owners = (live.metadata.managedFields ?? []).filter((entry) => entry.subresource !== "status");
  const later = applied.metadata.managedFields ?? [];
  const sets = [...owners, ...later].map(({ fieldsV1 }) => fieldsV1);
  const all = sets.reduce<FieldSet>((sum, each) => merged(sum, each), {});
  const others = owners.filter(({ manager }) => manager !== ours);
  const changed = compared(live, applied, all, []).map((each) => ({ ...each, by: ownerOf(others, each.path) }));
  const known = changed.map(({ path }) => path);
  const added = additions(later, ours)
    .map(({ path, by }) => ({ path, by: ownerOf([by], path), found: valueAt(live, path) }))
    .filter(({ path, found }) => found !== undefined && !known.some((each) => startsWith(path, each)));
  return [...changed, ...added].map((each) =>
    ignored.some((start) => startsWith(each.path, start)) ? { ...each, left: true } : each,
  );
}

/** What hands named beyond what the program does; applying once more would leave it there. */
function additions(managed: readonly Ownership[], ours: string): { path: Path; by: Ownership }[] {
  // Without an entry there is nothing that it names.
  const own = managed.find(({ manager, subresource }) => manager === ours && !subresource)?.fieldsV1;
  return managed
    .filter((entry) => isHand(entry, ours))
    .flatMap((by) => beyond(by.fieldsV1 ?? {}, own).map((path) => ({ path, by })))
    .filter(({ path }) => path.length > 0 && !isServers(path) && !OPERATIONS.includes(path.at(-1)?.slice(2) ?? ""));
}

/** Those of them in fields that the program does not leave to others. */
export const unasked = (
  managed: readonly Ownership[],
  ours: string,
  ignored: readonly Path[],
): { path: Path; by: Ownership }[] =>
  additions(managed, ours).filter(({ path }) => !ignored.some((each) => startsWith(path, each)));

const startsWith = (path: Path, start: Path): boolean => start.every((step, index) => path[index] === step);

const isServers = (path: Path): boolean => SERVER.some((each) => startsWith(path, each.split("/")));

function compared(found: unknown, wanted: unknown, set: FieldSet | undefined, at: Path): Difference[] {
  if (isServers(at) || isDeepStrictEqual(found, wanted)) return [];
  const parts = partsOf(found, wanted, set);
  if (!parts) return OPERATIONS.includes(at.at(-1)?.slice(2) ?? "") ? [] : [{ path: at, found, wanted }];
  const steps = [...new Set([...parts.found.keys(), ...parts.wanted.keys()])];
  const below = steps.flatMap((step) =>
    compared(parts.found.get(step), parts.wanted.get(step), set?.[step], [...at, step]),
  );
  // The same items in another order: the order is what differs.
  return below.length === 0 && Array.isArray(found) ? [{ path: at, found, wanted }] : below;
}

interface Parts {
  readonly found: Map<string, unknown>;
  readonly wanted: Map<string, unknown>;
}

/** Two values of one kind by their parts; undefined for what is one value. */
function partsOf(found: unknown, wanted: unknown, set: FieldSet | undefined): Parts | undefined {
  if (Array.isArray(found) && Array.isArray(wanted)) {
    const keyed = [keysOf(set, found), keysOf(set, wanted)] as const;
    if (keyed[0] && keyed[1]) return { found: keyed[0], wanted: keyed[1] };
    const numbered = (items: readonly unknown[]): Map<string, unknown> =>
      new Map(items.map((item, index) => [`i:${index}`, item]));
    return { found: numbered(found), wanted: numbered(wanted) };
  }
  if (!isMap(found) || !isMap(wanted)) return undefined;
  const named = (map: object): Map<string, unknown> =>
    new Map(Object.entries(map).map(([name, value]) => [`f:${name}`, value]));
  return { found: named(found), wanted: named(wanted) };
}

const isMap = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);
