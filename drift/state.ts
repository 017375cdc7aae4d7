import { type Path, valueAt } from "./fields";

/** What a stack's state says of its objects: what the last update wanted of each, and by which name it wrote. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly external?: boolean;
  readonly delete?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly ignoreChanges?: readonly string[];
}

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

export interface Wanted {
  readonly urn: string;
  readonly object: KubernetesObject;
  readonly fieldManager: string;
  /** Left to others by the program (ignoreChanges). */
  readonly ignored: readonly Path[];
  /** What is not for anybody's eyes. */
  readonly secret: readonly Path[];
}

/** How Pulumi marks a secret in what it exports. */
const MARK = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** What a `pulumi stack export --show-secrets` says of the cluster's objects, in the order in which they were made. */
export function wantedObjects(resources: readonly StateResource[]): Wanted[] {
  const scaled = new Set(resources.filter(isLive).flatMap(scaledBy));
  return resources.filter(isLive).flatMap(({ urn, type, inputs, outputs, ignoreChanges = [] }) => {
    const fieldManager = opened(outputs?.__fieldManager).value;
    if (!type.startsWith("kubernetes:") || typeof fieldManager !== "string") return [];
    const { value, secret } = opened(inputs);
    // Pulumi gives null for what it cannot decrypt, and says nothing of it. Applied, it would empty the object.
    if (secret.some((path) => valueAt(value, path) === null))
      throw new Error("the secrets of the state cannot be read: the passphrase is not that of this stack");
    const object = value as KubernetesObject;
    const data = object.kind === "Secret" ? [["f:data"], ["f:stringData"]] : [];
    const replicas = scaled.has(keyOf(object.kind, object.metadata.namespace, object.metadata.name)) ? [REPLICAS] : [];
    const ignored = [...ignoreChanges.map(pathOf), ...replicas];
    return [{ urn, object, fieldManager, ignored, secret: [...secret, ...data] }];
  });
}

const REPLICAS = ["f:spec", "f:replicas"];
const keyOf = (kind: string, namespace: string | undefined, name: string): string => `${kind} ${namespace}/${name}`;

/** Whose replicas are an autoscaler's. */
function scaledBy({ type, inputs }: StateResource): string[] {
  if (!/^kubernetes:autoscaling\/.*:HorizontalPodAutoscaler$/.test(type)) return [];
  const { metadata, spec } = opened(inputs).value as KubernetesObject & Scaling;
  return [keyOf(spec.scaleTargetRef.kind, metadata.namespace, spec.scaleTargetRef.name)];
}

interface Scaling {
  readonly spec: { readonly scaleTargetRef: { readonly kind: string; readonly name: string } };
}

/** Of this machine's own making, and meant to be there. */
export const isLive = ({ custom, external, delete: replaced }: StateResource): boolean =>
  custom === true && external !== true && replaced !== true;

/** A value without its wrappings, and where those were. */
export function opened(value: unknown, at: Path = []): { value: unknown; secret: Path[] } {
  if (Array.isArray(value)) {
    const items = value.map((item, index) => opened(item, [...at, `i:${index}`]));
    return { value: items.map((item) => item.value), secret: items.flatMap(({ secret }) => secret) };
  }
  if (typeof value !== "object" || value === null) return { value, secret: [] };
  const { [MARK]: mark, plaintext } = value as Record<string, unknown>;
  if (mark === SECRET) return { value: opened(JSON.parse(String(plaintext))).value, secret: [at] };
  const fields = Object.entries(value).map(([name, field]) => [name, opened(field, [...at, `f:${name}`])] as const);
  return {
    value: Object.fromEntries(fields.map(([name, field]) => [name, field.value])),
    secret: fields.flatMap(([, { secret }]) => secret),
  };
}

/** A property path of Pulumi's: `spec.replicas`, `spec.rules[0].weight`, `metadata["a.b"]`. */
export const pathOf = (property: string): Path =>
  [...property.matchAll(/\[(\d+)\]|\["([^"]*)"\]|([^.[\]]+)/g)].map(([, index, quoted, name]) =>
    index === undefined ? `f:${quoted ?? name ?? ""}` : `i:${index}`,
  );

/** The UID of the cluster that a stack is bound to. */
export const clusterOf = (resources: readonly StateResource[]): string | undefined => {
  const provider = resources.find(({ type }) => type === "pulumi:providers:kubernetes");
  const uid = opened(provider?.inputs?.clusterIdentifier).value;
  return typeof uid === "string" ? uid : undefined;
};
