import { at, elements, into, text, UNKNOWN } from "./manifest";
import type { Member, ObjectSet } from "./objectSet";
import { equal, type Verdict } from "./selector";

/** Where a Secret or ConfigMap comes from, and which keys it has. */
interface Producer {
  /** Not given: every one. */
  readonly namespace?: unknown;
  readonly name: unknown;
  /** Not given: whoever makes it decides. */
  readonly keys?: readonly unknown[];
}

type Kind = "Secret" | "ConfigMap";

const keysOf = (...values: unknown[]): unknown[] | undefined =>
  values.includes(UNKNOWN)
    ? undefined
    : values.flatMap((value) => (typeof value === "object" && value !== null ? Object.keys(value) : []));

const listed = (value: unknown, ...path: string[]): unknown[] =>
  elements({ path: "", value }).map((entry) => into(entry, ...path).value);

/** The Secret that another object makes, and where it says the name. */
interface Maker {
  readonly kind: string;
  readonly group: string;
  readonly name: (member: Member) => unknown;
  readonly keys?: (member: Member) => readonly unknown[] | undefined;
}

const spec =
  (...path: string[]) =>
  ({ manifest }: Member): unknown =>
    at(manifest, "spec", ...path);
const named =
  (...path: string[]) =>
  (member: Member): unknown =>
    spec(...path)(member) ?? member.name;
const own = ({ name }: Member): unknown => name;

function externalKeys({ manifest }: Member): readonly unknown[] | undefined {
  const from = at(manifest, "spec", "dataFrom");
  const templated = at(manifest, "spec", "target", "template");
  if (from === UNKNOWN || (Array.isArray(from) && from.length > 0) || at(templated, "templateFrom") !== undefined)
    return undefined;
  const shaped = keysOf(at(templated, "data"));
  const fetched = listed(at(manifest, "spec", "data"), "secretKey");
  // A template replaces what was fetched, unless it says that it merges.
  if (shaped !== undefined && shaped.length > 0)
    return at(templated, "mergePolicy") === "Merge" ? [...shaped, ...fetched] : shaped;
  return shaped === undefined ? undefined : fetched;
}

function certificateKeys({ manifest }: Member): readonly unknown[] | undefined {
  const more = at(manifest, "spec", "keystores") ?? at(manifest, "spec", "additionalOutputFormats");
  return more === undefined ? ["tls.crt", "tls.key", "ca.crt"] : undefined;
}

const MAKERS: readonly Maker[] = [
  { kind: "ExternalSecret", group: "external-secrets.io", name: named("target", "name"), keys: externalKeys },
  { kind: "Certificate", group: "cert-manager.io", name: spec("secretName"), keys: certificateKeys },
  {
    kind: "SealedSecret",
    group: "bitnami.com",
    name: named("template", "metadata", "name"),
    keys: ({ manifest }) => keysOf(at(manifest, "spec", "encryptedData"), at(manifest, "spec", "template", "data")),
  },
  { kind: "VaultStaticSecret", group: "secrets.hashicorp.com", name: spec("destination", "name") },
  { kind: "VaultDynamicSecret", group: "secrets.hashicorp.com", name: spec("destination", "name") },
  { kind: "VaultPKISecret", group: "secrets.hashicorp.com", name: spec("destination", "name") },
  { kind: "InfisicalSecret", group: "secrets.infisical.com", name: spec("managedSecretReference", "secretName") },
  { kind: "OnePasswordItem", group: "onepassword.com", name: own },
  { kind: "KafkaUser", group: "kafka.strimzi.io", name: own },
  ...["app", "superuser", "ca", "server", "replication"].map((role) => ({
    kind: "Cluster",
    group: "postgresql.cnpg.io",
    name: ({ name }: Member) => (name === UNKNOWN ? UNKNOWN : `${String(name)}-${role}`),
  })),
];

function secretsOf(set: ObjectSet): Producer[] {
  const cluster = set.ofKind("ClusterExternalSecret", "external-secrets.io").map(({ manifest, name }) => ({
    name:
      at(manifest, "spec", "externalSecretSpec", "target", "name") ??
      at(manifest, "spec", "externalSecretName") ??
      name,
  }));
  const drivers = set.ofKind("SecretProviderClass").flatMap(({ manifest, namespace }) =>
    elements({ path: "", value: at(manifest, "spec", "secretObjects") }).map((entry) => ({
      namespace,
      name: into(entry, "secretName").value,
      keys: listed(into(entry, "data").value, "key"),
    })),
  );
  // cert-manager makes those of routes that it is asked to by an annotation.
  const routes = [...set.ofKind("Ingress"), ...set.ofKind("Gateway", "gateway.networking.k8s.io")].flatMap((member) => {
    const annotations = at(member.manifest, "metadata", "annotations");
    const asked = (keysOf(annotations) ?? []).some((key) =>
      /^cert-manager\.io\/(cluster-)?issuer$|^kubernetes\.io\/tls-acme$/.test(String(key)),
    );
    if (!asked) return [];
    const names =
      member.kind === "Ingress"
        ? listed(at(member.manifest, "spec", "tls"), "secretName")
        : listed(at(member.manifest, "spec", "listeners")).flatMap((listener) =>
            listed(at(listener, "tls", "certificateRefs"), "name"),
          );
    return names.map((name) => ({ namespace: member.namespace, name }));
  });
  return [
    ...set.ofKind("Secret", "").map(({ manifest, namespace, name }) => ({
      namespace,
      name,
      keys: keysOf(manifest.data, manifest.stringData),
    })),
    ...MAKERS.flatMap(({ kind, group, name, keys }) =>
      set
        .ofKind(kind, group)
        .map((member) => ({ namespace: member.namespace, name: name(member), keys: keys?.(member) })),
    ),
    ...cluster,
    ...drivers,
    ...routes,
  ];
}

/** What every namespace has without anybody's doing. */
const BUILT_IN = ["kube-root-ca.crt", "openshift-service-ca.crt"];

function configMapsOf(set: ObjectSet): Producer[] {
  return [
    ...set.ofKind("ConfigMap", "").map(({ manifest, namespace, name }) => ({
      namespace,
      name,
      keys: keysOf(manifest.data, manifest.binaryData),
    })),
    ...set.ofKind("Bundle", "trust.cert-manager.io").map(({ name }) => ({ name })),
  ];
}

export interface Search {
  readonly verdict: Verdict;
  /** Of the one that is sure, where they are known. */
  readonly keys?: readonly unknown[];
}

/** Finds what pods and routes refer to by name. */
export class Producers {
  private readonly all: Readonly<Record<Kind, readonly Producer[]>>;

  constructor(set: ObjectSet) {
    this.all = { Secret: secretsOf(set), ConfigMap: configMapsOf(set) };
  }

  find(kind: Kind, namespace: unknown, name: unknown): Search {
    if (name === UNKNOWN) return { verdict: UNKNOWN };
    if (kind === "ConfigMap" && BUILT_IN.includes(name as string)) return { verdict: true };
    let verdict: Verdict = false;
    let keys: unknown[] | undefined = [];
    for (const producer of this.all[kind]) {
      const same = equal(producer.name, name);
      const here = producer.namespace === undefined ? true : equal(producer.namespace, namespace);
      if (same === false || here === false) continue;
      if (same === UNKNOWN || here === UNKNOWN) {
        if (verdict === false) verdict = UNKNOWN;
        continue;
      }
      verdict = true;
      keys = producer.keys === undefined || keys === undefined ? undefined : [...keys, ...producer.keys];
    }
    return verdict === true && keys !== undefined ? { verdict, keys } : { verdict };
  }
}

/** Whether there is a key among those known. */
export const hasKey = ({ keys }: Search, key: unknown): Verdict =>
  keys === undefined || text(key) === undefined
    ? true
    : keys.includes(key)
      ? true
      : keys.includes(UNKNOWN)
        ? UNKNOWN
        : false;
