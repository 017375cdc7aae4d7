import type { ApiClient } from "../sandbox/apiClient";
import { type KubernetesObject, NAMESPACES } from "./objects";

/** Where the server keeps each kind of the generator. */
export const COLLECTIONS: Readonly<Record<string, readonly [api: string, plural: string]>> = {
  Deployment: ["apis/apps/v1", "deployments"],
  Service: ["api/v1", "services"],
  ServiceAccount: ["api/v1", "serviceaccounts"],
  ConfigMap: ["api/v1", "configmaps"],
  NetworkPolicy: ["apis/networking.k8s.io/v1", "networkpolicies"],
  Role: ["apis/rbac.authorization.k8s.io/v1", "roles"],
  RoleBinding: ["apis/rbac.authorization.k8s.io/v1", "rolebindings"],
  PodDisruptionBudget: ["apis/policy/v1", "poddisruptionbudgets"],
};

/** Objects as they are on the server, without what differs from one creation to the next; by kind, namespace and name. */
export type Snapshot = ReadonlyMap<string, unknown>;

export type Live = Record<string, unknown> & { metadata: Record<string, unknown> };

const keyOf = (kind: string, { namespace, name }: Record<string, unknown>): string =>
  `${kind} ${String(namespace)}/${String(name)}`;

export async function snapshot(api: ApiClient): Promise<Snapshot> {
  const found = new Map<string, unknown>();
  for (const [kind, [group, plural]] of Object.entries(COLLECTIONS)) {
    const { items } = await api.request<{ items: Live[] }>("GET", `/${group}/${plural}`);
    for (const item of items)
      if ((NAMESPACES as readonly unknown[]).includes(item.metadata["namespace"]))
        found.set(keyOf(kind, item.metadata), normalised(item));
  }
  return found;
}

/** What the server, or the tool that wrote it, adds of its own to an object. */
const SERVERS = ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"];
const TOOLS = [/^meta\.helm\.sh\//, /^kubectl\.kubernetes\.io\//, /^app\.kubernetes\.io\/managed-by$/];
const ADDRESSES = ["clusterIP", "clusterIPs"];

/** Says nothing of a field that is empty either: to the server, `{}` and nothing are often the same. */
export function normalised({ metadata, spec, ...rest }: Live): unknown {
  const own = (entries: unknown): object => without(entries, (key) => TOOLS.some((pattern) => pattern.test(key)));
  return sorted({
    ...without(rest, (key) => ["apiVersion", "kind", "status"].includes(key)),
    metadata: {
      ...without(metadata, (key) => SERVERS.includes(key)),
      labels: own(metadata["labels"]),
      annotations: own(metadata["annotations"]),
    },
    ...(spec === undefined ? {} : { spec: without(spec, (key) => ADDRESSES.includes(key)) }),
  });
}

const without = (entries: unknown, unwanted: (key: string) => boolean): object =>
  Object.fromEntries(Object.entries(entries ?? {}).filter(([key]) => !unwanted(key)));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, sorted(each)] as const);
  return Object.fromEntries(entries.filter(([, each]) => !isEmpty(each)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);

/** Where what a contender left differs from what was asked of it: not one object more or less, and every field as given. */
export function differencesFromWanted(wanted: readonly KubernetesObject[], found: Snapshot): string[] {
  const names = new Map(wanted.map((object) => [keyOf(object.kind, object.metadata), object]));
  return [
    ...[...found.keys()].filter((key) => !names.has(key)).map((key) => `${key}: should not be there`),
    ...[...names].flatMap(([key, object]) => {
      if (!found.has(key)) return [`${key}: is missing`];
      const path = missingPath(normalised(object), found.get(key), "");
      return path === undefined ? [] : [`${key}: ${path} is not as given`];
    }),
  ];
}

/** The first path whose value is wanted and not found as such. */
function missingPath(wanted: unknown, found: unknown, path: string): string | undefined {
  if (typeof wanted !== "object" || wanted === null) return wanted === found ? undefined : path;
  if (typeof found !== "object" || found === null) return path;
  for (const [key, value] of Object.entries(wanted)) {
    const missing = missingPath(value, (found as Record<string, unknown>)[key], `${path}.${key}`);
    if (missing !== undefined) return missing;
  }
  return undefined;
}

/** Where two contenders left different objects, defaults of the server included. */
export function differencesBetween(one: Snapshot, other: Snapshot): string[] {
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((key) => JSON.stringify(one.get(key)) !== JSON.stringify(other.get(key)))
    .map((key) => `${key}: ${JSON.stringify(one.get(key))} and ${JSON.stringify(other.get(key))}`);
}
