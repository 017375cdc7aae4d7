import { type Fault, faultAt } from "./finding";
import { at, elements, into, type Located, text, UNKNOWN } from "./manifest";
import type { ObjectSet, Pods } from "./objectSet";
import { mayWrite } from "./accounts";
import { allContainers } from "./podTemplate";
import { hasKey, Producers } from "./producers";
import type { SetFault } from "./rule";
import type { Verdict } from "./selector";

interface Reference {
  readonly kind: "Secret" | "ConfigMap";
  readonly name: Located;
  readonly keys: readonly Located[];
  readonly optional: boolean;
  readonly container?: string | undefined;
}

const isOptional = (source: Located): boolean => into(source, "optional").value === true;
const isSet = ({ value }: Located): boolean => value !== undefined && value !== null;

const items = (source: Located): Located[] => elements(into(source, "items")).map((item) => into(item, "key"));

function ofContainers({ template }: Pods): Reference[] {
  return allContainers(template).flatMap((container) => {
    const read = (source: Located, kind: Reference["kind"], keys: readonly Located[]): Reference[] =>
      isSet(source) && source.value !== UNKNOWN
        ? [{ kind, name: into(source, "name"), keys, optional: isOptional(source), container: container.name }]
        : [];
    return [
      ...elements(into(container, "env")).flatMap((entry) => {
        const [secret, map] = ["secretKeyRef", "configMapKeyRef"].map((way) => into(entry, "valueFrom", way)) as [
          Located,
          Located,
        ];
        return [...read(secret, "Secret", [into(secret, "key")]), ...read(map, "ConfigMap", [into(map, "key")])];
      }),
      ...elements(into(container, "envFrom")).flatMap((entry) => [
        ...read(into(entry, "secretRef"), "Secret", []),
        ...read(into(entry, "configMapRef"), "ConfigMap", []),
      ]),
    ];
  });
}

function ofVolumes({ template }: Pods): Reference[] {
  const read = (source: Located, kind: Reference["kind"], field: string): Reference[] =>
    isSet(source) && source.value !== UNKNOWN
      ? [{ kind, name: into(source, field), keys: items(source), optional: isOptional(source) }]
      : [];
  return elements(into(template.spec, "volumes")).flatMap((volume) => [
    ...read(into(volume, "secret"), "Secret", "secretName"),
    ...read(into(volume, "configMap"), "ConfigMap", "name"),
    ...elements(into(volume, "projected", "sources")).flatMap((source) => [
      ...read(into(source, "secret"), "Secret", "name"),
      ...read(into(source, "configMap"), "ConfigMap", "name"),
    ]),
  ]);
}

const place = (namespace: unknown): string => text(namespace) ?? "its namespace";

const missing = (field: Located, verdict: Verdict, words: Parameters<typeof faultAt>[1]): Fault =>
  faultAt(verdict === UNKNOWN ? { ...field, value: UNKNOWN } : field, words);

function judge(
  set: ObjectSet,
  { kind, name, keys, optional, container }: Reference,
  pods: Pods,
  producers: Producers,
): Fault[] {
  if (optional) return [];
  const found = producers.find(kind, pods.namespace, name.value);
  const where = place(pods.namespace);
  if (found.verdict !== true) {
    const words = {
      container,
      found: `(${JSON.stringify(name.value)}) is the name of no ${kind} in ${where}`,
      allowed: `a ${kind} that is deployed with the pod, or that another object makes`,
      fix: `add it to ${where}, correct the name, or say optional: true where the pod can do without`,
    };
    if (text(name.value) === undefined && name.value !== UNKNOWN) return [];
    // As hooks and operators do.
    const isLate = mayWrite(set, pods.namespace, kind === "Secret" ? "secrets" : "configmaps", ["create"]);
    return [{ ...missing(name, found.verdict, words), ...(isLate ? { soft: true } : {}) }];
  }
  return keys.flatMap((key) => {
    const has = hasKey(found, key.value);
    if (has === true || key.value === UNKNOWN) return [];
    const known = (found.keys ?? []).filter((each) => typeof each === "string").join(", ") || "none";
    const words = {
      container,
      found: `(${JSON.stringify(key.value)}) is no key of ${kind} ${where}/${String(name.value)}`,
      allowed: `one of its keys: ${known}`,
      fix: "add the key, or correct it",
    };
    return [missing(key, has, words)];
  });
}

/** Secrets and ConfigMaps that pods cannot start without, and their keys. */
export function missingReferences(set: ObjectSet): SetFault[] {
  const producers = new Producers(set);
  return set.pods.flatMap((pods) => {
    const pulls = elements(into(pods.template.spec, "imagePullSecrets"))
      .filter(isSet)
      .map((entry): Reference => ({ kind: "Secret", name: into(entry, "name"), keys: [], optional: false }));
    return [...ofContainers(pods), ...ofVolumes(pods), ...pulls].flatMap((reference) =>
      judge(set, reference, pods, producers).map((fault) => ({ ...fault, of: pods.owner.of })),
    );
  });
}

/** Volumes: what is mounted is among the pod's, and the claims exist. */
export function missingVolumes(set: ObjectSet): SetFault[] {
  const claims = set.ofKind("PersistentVolumeClaim", "");
  return set.pods.flatMap((pods): SetFault[] => {
    const { spec } = pods.template;
    const volumes = elements(into(spec, "volumes"));
    const own = elements({ path: "", value: at(pods.owner.manifest, "spec", "volumeClaimTemplates") });
    const names = [
      ...volumes.map((each) => into(each, "name").value),
      ...own.map((each) => into(each, "metadata", "name").value),
    ];
    const unmounted = names.includes(UNKNOWN)
      ? []
      : allContainers(pods.template).flatMap((container) =>
          ["volumeMounts", "volumeDevices"]
            .flatMap((list) => elements(into(container, list)))
            .map((mount) => into(mount, "name"))
            .filter(({ value }) => typeof value === "string" && !names.includes(value))
            .map((name) => {
              const allowed = `one of the pod's volumes: ${names.filter((each) => typeof each === "string").join(", ") || "none"}`;
              return faultAt(name, { container: container.name, allowed, fix: "add the volume, or correct the name" });
            }),
        );
    const unclaimed = volumes
      .map((volume) => into(volume, "persistentVolumeClaim", "claimName"))
      .filter(isSet)
      .map((claim): { claim: Located; verdict: Verdict } => ({
        claim,
        verdict: set.named(claims, claim.value, pods.namespace).verdict,
      }))
      .filter(({ claim, verdict }) => verdict !== true && !isClaimOfSet(set, claim.value))
      .map(({ claim, verdict }) => {
        const found = `(${JSON.stringify(claim.value)}) is the name of no PersistentVolumeClaim in ${place(pods.namespace)}`;
        return missing(claim, verdict, {
          found,
          allowed: "a claim that is deployed with the pod",
          fix: "add it, or correct the name",
        });
      });
    return [...unmounted, ...unclaimed].map((fault) => ({ ...fault, of: pods.owner.of }));
  });
}

/** StatefulSets make claims: template, set, number. */
function isClaimOfSet(set: ObjectSet, claim: unknown): boolean {
  return set
    .ofKind("StatefulSet")
    .some(({ manifest, name }) =>
      elements({ path: "", value: at(manifest, "spec", "volumeClaimTemplates") }).some(
        (each) =>
          String(claim).replace(/-\d+$/, "") === `${String(into(each, "metadata", "name").value)}-${String(name)}`,
      ),
    );
}
