import type { Fault } from "./finding";
import { at, groupOf, into, kindOf, type Manifest, quote, text, UNKNOWN } from "./manifest";
import { type PodTemplate, podTemplates } from "./podTemplate";
import { both, compileSelector, equal, some, type Verdict } from "./selector";

const DIRECTIONS = ["Ingress", "Egress"] as const;
type Direction = (typeof DIRECTIONS)[number];

interface Policy {
  readonly namespace: unknown;
  readonly selects: (labels: unknown) => Verdict;
  readonly covers: Readonly<Record<Direction, Verdict>>;
}

const ALLOWED = "every pod selected by at least one NetworkPolicy of its namespace for Ingress and by one for Egress";

/** Objects that say no namespace share the provider's. */
function namespaceOf(manifest: Manifest): unknown {
  const namespace = at(manifest, "metadata", "namespace");
  return namespace === UNKNOWN ? UNKNOWN : (text(namespace) ?? "default");
}

/** Left out, policyTypes means Ingress, and Egress as well where egress rules are given. */
function coverage(spec: unknown): Policy["covers"] {
  const types = at(spec, "policyTypes") ?? [];
  if (types === UNKNOWN) return { Ingress: UNKNOWN, Egress: UNKNOWN };
  if (Array.isArray(types) && types.length > 0) {
    const lists = (direction: Direction): Verdict => some(types, (type) => equal(type, direction));
    return { Ingress: lists("Ingress"), Egress: lists("Egress") };
  }
  const rules = at(spec, "egress");
  return { Ingress: true, Egress: rules === UNKNOWN ? UNKNOWN : Array.isArray(rules) && rules.length > 0 };
}

function policiesIn(manifests: readonly Manifest[]): Policy[] {
  return manifests
    .filter((manifest) => kindOf(manifest) === "NetworkPolicy")
    .filter((manifest) => ["networking.k8s.io", "extensions"].includes(groupOf(manifest) ?? ""))
    .map((manifest) => ({
      namespace: namespaceOf(manifest),
      selects: compileSelector(at(manifest, "spec", "podSelector")),
      covers: coverage(at(manifest, "spec")),
    }));
}

/** The Job controller labels its pods with the Job's name, and policies may select by it. */
function podLabels(manifest: Manifest, template: PodTemplate): unknown {
  const labels = template.labels.value;
  const name = at(manifest, "metadata", "name");
  if (kindOf(manifest) !== "Job" || name === undefined || labels === UNKNOWN) return labels;
  return { ...(labels as object | undefined), "job-name": name, "batch.kubernetes.io/job-name": name };
}

function templateFaults(manifest: Manifest, template: PodTemplate, policies: readonly Policy[]): Fault[] {
  const hostNetwork = into(template.spec, "hostNetwork");
  if (hostNetwork.value === true) {
    const found = "is true, and no NetworkPolicy holds for a pod on the network of its node";
    return [{ path: hostNetwork.path, found, allowed: ALLOWED, fix: "remove it" }];
  }

  const namespace = namespaceOf(manifest);
  const labels = podLabels(manifest, template);
  const reach = policies
    .filter((policy) => equal(policy.namespace, namespace) !== false)
    .map((policy): { policy: Policy; hit: Verdict } => ({
      policy,
      hit: both(equal(policy.namespace, namespace), policy.selects(labels)),
    }));
  return DIRECTIONS.flatMap((direction) => {
    const isolated = some(reach, ({ policy, hit }) => both(hit, policy.covers[direction]));
    if (isolated === true) return [];
    const place = namespace === UNKNOWN ? "its namespace" : `namespace ${String(namespace)}`;
    const undecidable = isolated === UNKNOWN;
    return [
      {
        path: template.labels.path,
        found: undecidable
          ? `${showLabels(labels)} may match a NetworkPolicy for ${direction}, which is ${quote(UNKNOWN)}`
          : `${showLabels(labels)} is selected by no NetworkPolicy for ${direction} in ${place}`,
        allowed: ALLOWED,
        fix: `add a NetworkPolicy to ${place} whose podSelector matches these labels, with ${direction} in its policyTypes`,
        ...(undecidable ? { undecidable } : {}),
      },
    ];
  });
}

function showLabels(labels: unknown): string {
  if (typeof labels !== "object" || labels === null) return `(${quote(labels)})`;
  const pairs = Object.entries(labels).map(
    ([key, value]) => `${key}: ${value === UNKNOWN ? "?" : (text(value) ?? quote(value))}`,
  );
  return `{${pairs.join(", ")}}`;
}

/** One list of faults for each manifest, in its order. */
export function networkPolicy(manifests: readonly Manifest[]): Fault[][] {
  const policies = policiesIn(manifests);
  return manifests.map((manifest) =>
    podTemplates(manifest).flatMap((template) => templateFaults(manifest, template, policies)),
  );
}
