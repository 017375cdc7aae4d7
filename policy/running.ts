import { at, elements, groupOf, kindOf, type Manifest, text } from "./rules/manifest";
import { carriesPods } from "./rules/podTemplate";

/** What a cluster holds, told from what somebody asked of it. */

export interface Running {
  readonly manifest: Manifest;
  /** Only a part is judged: what was added after its controller had made it. */
  readonly partial?: true;
}

const listed = (value: unknown): unknown[] => elements({ path: "", value }).map((each) => each.value);

/** Judged by the template that it was made from, where its owner has one. */
const isMade = (manifest: Manifest): boolean =>
  listed(at(manifest, "metadata", "ownerReferences")).some(
    (owner) =>
      at(owner, "controller") === true && carriesPods({ apiVersion: at(owner, "apiVersion"), kind: at(owner, "kind") }),
  );

/** The cluster's own, which come with it and change with its version. */
const isBuiltIn = (manifest: Manifest): boolean =>
  at(manifest, "metadata", "labels", "kubernetes.io/bootstrapping") !== undefined;

/** A debugger is put into a pod by hand, and no template shows it. */
function addedTo(manifest: Manifest): Running[] {
  if (kindOf(manifest) !== "Pod" || listed(at(manifest, "spec", "ephemeralContainers")).length === 0) return [];
  const spec = { ...(manifest.spec as object), containers: [], initContainers: [], volumes: [] };
  return [{ manifest: { ...manifest, spec }, partial: true }];
}

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

function applied(manifest: Manifest): unknown {
  try {
    return JSON.parse(text(at(manifest, "metadata", "annotations", LAST_APPLIED)) ?? "{}");
  } catch {
    return {};
  }
}

/** Whether somebody declared the count, and not the server or an autoscaler. */
const asksForReplicas = (manifest: Manifest): boolean =>
  at(applied(manifest), "spec", "replicas") !== undefined ||
  listed(at(manifest, "metadata", "managedFields")).some(
    (entry) =>
      at(entry, "operation") === "Apply" &&
      at(entry, "subresource") === undefined &&
      at(entry, "fieldsV1", "f:spec", "f:replicas") !== undefined,
  );

const SCALERS = ["HorizontalPodAutoscaler", "ScaledObject"];
const keyOf = (...parts: unknown[]): string => JSON.stringify(parts);
const namespaceOf = (manifest: Manifest): unknown => at(manifest, "metadata", "namespace");

const scaled = (manifests: readonly Manifest[]): Set<string> =>
  new Set(
    manifests
      .filter((manifest) => SCALERS.includes(kindOf(manifest)))
      .map((manifest) => {
        const target = at(manifest, "spec", "scaleTargetRef");
        return keyOf(at(target, "kind") ?? "Deployment", namespaceOf(manifest), at(target, "name"));
      }),
  );

/** Its name is known here. */
const AUTONAMED = "pulumi.com/autonamed";

const without = (from: unknown, ...keys: readonly string[]): Manifest =>
  Object.fromEntries(Object.entries((from ?? {}) as Manifest).filter(([key]) => !keys.includes(key)));

function bare(manifest: Manifest, counted: ReadonlySet<string>): Manifest {
  const annotations = without(at(manifest, "metadata", "annotations"), AUTONAMED);
  const metadata = { ...without(manifest.metadata, "managedFields"), annotations };
  const isCounted = counted.has(keyOf(kindOf(manifest), namespaceOf(manifest), at(manifest, "metadata", "name")));
  const spec = isCounted && !asksForReplicas(manifest) ? { spec: without(manifest.spec, "replicas") } : {};
  return { ...without(manifest, "status"), metadata, ...spec };
}

/** What of a cluster's objects is judged, as if it had been written by hand. */
export function asWritten(manifests: readonly Manifest[]): Running[] {
  const counted = scaled(manifests);
  return manifests
    .filter((manifest) => !isBuiltIn(manifest))
    .flatMap((manifest): Running[] => (isMade(manifest) ? addedTo(manifest) : [{ manifest: bare(manifest, counted) }]));
}

const isBinding = (manifest: Manifest, ...kinds: string[]): boolean =>
  groupOf(manifest) === "rbac.authorization.k8s.io" && kinds.includes(kindOf(manifest));

/** Of the objects of the whole cluster, those that give rights to accounts of these namespaces. */
export function ofThese(
  namespaces: readonly string[],
  inside: readonly Manifest[],
  clusterWide: readonly Manifest[],
): Manifest[] {
  const bindings = clusterWide.filter(
    (manifest) =>
      isBinding(manifest, "ClusterRoleBinding") &&
      listed(manifest.subjects).some(
        (subject) =>
          at(subject, "kind") === "ServiceAccount" && namespaces.includes(text(at(subject, "namespace")) ?? ""),
      ),
  );
  const named = [...bindings, ...inside.filter((manifest) => isBinding(manifest, "RoleBinding"))]
    .filter((manifest) => at(manifest, "roleRef", "kind") === "ClusterRole")
    .map((manifest) => at(manifest, "roleRef", "name"));
  const roles = clusterWide.filter(
    (manifest) => isBinding(manifest, "ClusterRole") && named.includes(at(manifest, "metadata", "name")),
  );
  return [...bindings, ...roles];
}
