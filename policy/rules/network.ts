import { type Fault, faultAt } from "./finding";
import { at, into, quote, text, UNKNOWN } from "./manifest";
import { type Member, type ObjectSet, OF_THE_SYSTEM, type Pods } from "./objectSet";
import type { SetFault } from "./rule";
import { both, compileSelector, equal, selectsAll, some, type Verdict } from "./selector";

const DIRECTIONS = ["Ingress", "Egress"] as const;
export type Direction = (typeof DIRECTIONS)[number];

export interface Policy {
  readonly member: Member;
  readonly selects: (labels: unknown) => Verdict;
  readonly selectsAll: Verdict;
  readonly covers: Readonly<Record<Direction, Verdict>>;
}

const ALLOWED = "every pod selected by at least one NetworkPolicy of its namespace for Ingress and by one for Egress";

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

export function policiesOf(set: ObjectSet): Policy[] {
  return set.ofKind("NetworkPolicy", "networking.k8s.io", "extensions").map((member) => ({
    member,
    selects: compileSelector(at(member.manifest, "spec", "podSelector")),
    selectsAll: selectsAll(at(member.manifest, "spec", "podSelector")),
    covers: coverage(at(member.manifest, "spec")),
  }));
}

/** How far each policy is one of these pods'. */
export function reaching(pods: Pods, policies: readonly Policy[]): { policy: Policy; hit: Verdict }[] {
  return policies
    .map((policy): { policy: Policy; here: Verdict } => ({
      policy,
      here: equal(policy.member.namespace, pods.namespace),
    }))
    .filter(({ here }) => here !== false)
    .map(({ policy, here }) => ({ policy, hit: both(here, policy.selects(pods.labels)) }));
}

function podFaults(pods: Pods, policies: readonly Policy[]): Fault[] {
  const hostNetwork = into(pods.template.spec, "hostNetwork");
  if (hostNetwork.value === true) {
    const found = "is true, and no NetworkPolicy holds for a pod on the network of its node";
    return [{ path: hostNetwork.path, found, allowed: ALLOWED, fix: "remove it" }];
  }

  const reach = reaching(pods, policies);
  return DIRECTIONS.flatMap((direction) => {
    const isolated = some(reach, ({ policy, hit }) => both(hit, policy.covers[direction]));
    if (isolated === true) return [];
    const place = pods.namespace === UNKNOWN ? "its namespace" : `namespace ${String(pods.namespace)}`;
    const undecidable = isolated === UNKNOWN;
    return [
      {
        path: pods.template.labels.path,
        found: undecidable
          ? `${showLabels(pods.labels)} may match a NetworkPolicy for ${direction}, which is ${quote(UNKNOWN)}`
          : `${showLabels(pods.labels)} is selected by no NetworkPolicy for ${direction} in ${place}`,
        allowed: ALLOWED,
        fix: `add a NetworkPolicy to ${place} whose podSelector matches these labels, with ${direction} in its policyTypes`,
        ...(undecidable ? { undecidable } : {}),
      },
    ];
  });
}

export function showLabels(labels: unknown): string {
  if (typeof labels !== "object" || labels === null) return `(${quote(labels)})`;
  const pairs = Object.entries(labels).map(
    ([key, value]) => `${key}: ${value === UNKNOWN ? "?" : (text(value) ?? quote(value))}`,
  );
  return `{${pairs.join(", ")}}`;
}

export function networkPolicy(set: ObjectSet): SetFault[] {
  const policies = policiesOf(set);
  return set.pods.flatMap((pods) => podFaults(pods, policies).map((fault) => ({ ...fault, of: pods.owner.of })));
}

const isEmpty = (list: unknown): boolean => !Array.isArray(list) || list.length === 0;

/** A policy that selects every pod and itself lets nothing through, so that others only add to nothing. */
function denies({ member: { manifest }, covers, selectsAll }: Policy, direction: Direction): Verdict {
  const rules = at(manifest, "spec", direction.toLowerCase());
  if (rules === UNKNOWN) return UNKNOWN;
  return isEmpty(rules) ? both(covers[direction], selectsAll) : false;
}

/** Pods that nobody has thought of yet are closed as well. */
export function defaultDeny(set: ObjectSet): SetFault[] {
  const policies = policiesOf(set);
  const seen = new Set<unknown>([UNKNOWN]);
  const places = [
    ...set.ofKind("Namespace", "").map((member) => ({ member, namespace: member.name })),
    ...set.pods.map(({ owner, namespace }) => ({ member: owner, namespace })),
  ];
  return places.flatMap(({ member, namespace }) => {
    if (seen.has(namespace) || OF_THE_SYSTEM.includes(namespace as string)) return [];
    seen.add(namespace);
    return DIRECTIONS.flatMap((direction) => {
      const closed = some(policies, (policy) =>
        both(equal(policy.member.namespace, namespace), denies(policy, direction)),
      );
      if (closed === true) return [];
      const found = `is in a namespace (${String(namespace)}) without a default deny for ${direction}`;
      const name = { path: "metadata.namespace", value: closed === UNKNOWN ? UNKNOWN : namespace };
      const fix = `add a NetworkPolicy to it with podSelector {}, ${direction} in its policyTypes, and no rules`;
      const allowed = "a NetworkPolicy that selects every pod of the namespace and allows nothing";
      return [
        {
          ...faultAt(member.kind === "Namespace" ? { ...name, path: "metadata.name" } : name, { found, allowed, fix }),
          of: member.of,
        },
      ];
    });
  });
}

const isDns = (port: unknown): Verdict => {
  const number = at(port, "port");
  if (number === UNKNOWN) return UNKNOWN;
  if ((at(port, "protocol") ?? "TCP") !== "UDP") return false;
  // Named ports of the DNS servers, and those they listen on behind their Service.
  if (number === undefined || number === null) return true;
  if (number === 53 || number === "53" || number === 5353 || number === 1053) return true;
  const end = at(port, "endPort");
  if (typeof number === "number" && typeof end === "number") return number <= 53 && end >= 53;
  return typeof number === "string" && number.startsWith("dns");
};

function letsDns(manifest: unknown): Verdict {
  const rules = at(manifest, "spec", "egress");
  if (rules === UNKNOWN) return UNKNOWN;
  return some(Array.isArray(rules) ? Array.from(rules as unknown[]) : [], (rule) => {
    const ports = at(rule, "ports");
    if (ports === UNKNOWN) return UNKNOWN;
    return isEmpty(ports) ? true : some(Array.from(ports as unknown[]), isDns);
  });
}

/** Where egress is closed, names must still resolve, or every path by name is dead. */
export function dnsEgress(set: ObjectSet): SetFault[] {
  const policies = policiesOf(set);
  return set.pods.flatMap((pods) => {
    const dns = into(pods.template.spec, "dnsPolicy").value;
    if (dns === "None" || dns === "Default" || into(pods.template.spec, "hostNetwork").value === true) return [];
    const reach = reaching(pods, policies).filter(({ policy, hit }) => both(hit, policy.covers.Egress) !== false);
    if (!reach.some(({ policy, hit }) => both(hit, policy.covers.Egress) === true)) return [];
    // Pods that may open no connection at all need no names.
    if (reach.every(({ policy }) => isEmpty(at(policy.member.manifest, "spec", "egress")))) return [];
    const open = some(reach, ({ policy, hit }) => both(hit, letsDns(policy.member.manifest)));
    if (open !== false) return [];
    return [
      {
        of: pods.owner.of,
        path: pods.template.labels.path,
        found: `${showLabels(pods.labels)} is selected by policies for Egress of which none lets it ask the cluster's DNS`,
        allowed: "UDP port 53 open to the DNS servers wherever egress is closed",
        fix: "add a NetworkPolicy that allows egress to namespace kube-system, pods k8s-app: kube-dns, port 53 by UDP and TCP",
      },
    ];
  });
}

/** A policy that selects nothing protects nothing, and hides that something has been renamed. */
export function policySelects(set: ObjectSet): SetFault[] {
  return policiesOf(set).flatMap(({ member, selects, selectsAll }) => {
    const selector = into({ path: "", value: member.manifest }, "spec", "podSelector");
    if (selectsAll === true || !set.isInside(member.namespace)) return [];
    const hit = some(set.pods, (pods) => both(equal(pods.namespace, member.namespace), selects(pods.labels)));
    if (hit === true) return [];
    return [
      {
        of: member.of,
        ...faultAt(hit === UNKNOWN ? { ...selector, value: UNKNOWN } : selector, {
          found: `selects no pod in namespace ${String(text(member.namespace) ?? "?")}`,
          allowed: "a selector that matches the labels of a pod template in the policy's namespace",
          fix: "write the labels that the template has, or remove the policy",
        }),
      },
    ];
  });
}
