import { type Fault, faultAt } from "./finding";
import { at, elements, groupOf, into, kindOf, type Located, type Manifest, quote, UNKNOWN } from "./manifest";
import { OF_THE_SYSTEM } from "./objectSet";
import { allContainers, podTemplates } from "./podTemplate";
import { onWindows } from "./podSecurity/users";

/** Where objects are, and from where they are reached. */

const whole = (manifest: Manifest): Located => ({ path: "", value: manifest });

export function exposure(manifest: Manifest): Fault[] {
  if (kindOf(manifest) !== "Service" || ![undefined, ""].includes(groupOf(manifest))) return [];
  const type = into(whole(manifest), "spec", "type");
  const addresses = into(whole(manifest), "spec", "externalIPs");
  const through = "go through the edge: a Gateway or Ingress, or a LoadBalancer";
  return [
    ...(type.value === "NodePort"
      ? [
          faultAt(type, {
            found: 'is "NodePort", which opens the port on every node',
            allowed: "ClusterIP, or LoadBalancer",
            fix: through,
          }),
        ]
      : []),
    ...(type.value === UNKNOWN ? [faultAt(type, { allowed: "ClusterIP, or LoadBalancer", fix: through })] : []),
    ...elements(addresses).map((address) =>
      faultAt(address, {
        found: `is ${quote(address.value)}: traffic to it is taken over`,
        allowed: "no external IPs",
        fix: through,
      }),
    ),
  ];
}

/** Kinds without a namespace, to which an engine that does not know them writes "default", and the API server pays no heed. */
const OF_THE_CLUSTER = /^Cluster|Class$/;

/** An object may leave its namespace to whoever applies it, which is worth a word where pods run. */
export function defaultNamespace(manifest: Manifest): Fault[] {
  const namespace = into(whole(manifest), "metadata", "namespace");
  const words = { allowed: "a namespace of its own", fix: "name one", controls: ["cis:5.7.4"] };
  if (namespace.value === "default") {
    if (OF_THE_CLUSTER.test(kindOf(manifest) ?? "")) return [];
    return [faultAt(namespace, words)];
  }
  const unset = namespace.value === undefined || namespace.value === null || namespace.value === "";
  if (!unset || podTemplates(manifest).length === 0) return [];
  const found = "is not set, so that it may land in default";
  return [{ ...faultAt(namespace, { ...words, found }), soft: true }];
}

export const ENFORCE = "pod-security.kubernetes.io/enforce";

/** Made with the cluster. */
export const NOT_OURS: readonly string[] = [...OF_THE_SYSTEM, "default"];

export function namespaceLabels(manifest: Manifest): Fault[] {
  if (kindOf(manifest) !== "Namespace" || ![undefined, ""].includes(groupOf(manifest))) return [];
  if (NOT_OURS.includes(at(manifest, "metadata", "name") as string)) return [];
  const labels = into(whole(manifest), "metadata", "labels");
  const value = at(labels.value, ENFORCE);
  if (value === "restricted" || value === "baseline") return [];
  const label: Located = value === UNKNOWN ? { ...labels, value } : { path: `${labels.path}["${ENFORCE}"]`, value };
  return [faultAt(label, { allowed: "restricted, or baseline", fix: `label it ${ENFORCE}: restricted` })];
}

export function readOnlyRoot(manifest: Manifest): Fault[] {
  return podTemplates(manifest)
    .filter((template) => !onWindows(template))
    .flatMap(allContainers)
    .filter(({ role }) => role !== "ephemeral")
    .flatMap((container) => {
      const field = into(container, "securityContext", "readOnlyRootFilesystem");
      if (field.value === true) return [];
      const fix = "set it to true, and mount an emptyDir where it writes";
      return [faultAt(field, { container: container.name, allowed: "true", fix, set: true })];
    });
}
