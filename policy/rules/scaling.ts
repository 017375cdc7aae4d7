import { type Fault, faultAt } from "./finding";
import { at, elements, into, type Located, quote, text, UNKNOWN } from "./manifest";
import { type Member, type ObjectSet, OF_THE_SYSTEM } from "./objectSet";
import type { SetFault } from "./rule";
import { selectsAll } from "./selector";

/** How many pods there are, and how many may go at once. */

const isSet = (value: unknown): boolean => value !== undefined && value !== null;
const specOf = ({ manifest }: Member): Located => into({ path: "", value: manifest }, "spec");

interface Autoscaler {
  readonly member: Member;
  readonly target: Located;
  /** It alone says how many there are. */
  readonly counts: boolean;
}

function autoscalers(set: ObjectSet): Autoscaler[] {
  return [
    ...set
      .ofKind("HorizontalPodAutoscaler", "autoscaling")
      .map((member) => ({ member, target: into(specOf(member), "scaleTargetRef"), counts: true })),
    ...set
      .ofKind("ScaledObject", "keda.sh")
      .map((member) => ({ member, target: into(specOf(member), "scaleTargetRef"), counts: true })),
    ...set
      .ofKind("VerticalPodAutoscaler", "autoscaling.k8s.io")
      .map((member) => ({ member, target: into(specOf(member), "targetRef"), counts: false })),
  ];
}

const findTarget = (set: ObjectSet, { member, target }: Autoscaler): ReturnType<ObjectSet["named"]> =>
  set.named(set.ofKind(text(at(target.value, "kind")) ?? "Deployment"), at(target.value, "name"), member.namespace);

export function autoscalerTarget(set: ObjectSet): SetFault[] {
  const taken = new Set<string>();
  return autoscalers(set).flatMap((scaler): SetFault[] => {
    const { member, target, counts } = scaler;
    const name = into(target, "name");
    const found = findTarget(set, scaler);
    if (found.member === undefined) {
      const kind = text(at(target.value, "kind")) ?? "Deployment";
      const field = found.verdict === UNKNOWN ? { ...name, value: UNKNOWN } : name;
      const words = {
        found: `(${JSON.stringify(name.value)}) is the name of no ${kind} in namespace ${text(member.namespace) ?? "?"}`,
        allowed: "a workload that is deployed with it",
        fix: "correct kind and name, or add the workload",
      };
      return [{ of: member.of, ...faultAt(field, words) }];
    }
    const key = `${found.member.of}`;
    if (!counts || !taken.has(key)) {
      if (counts) taken.add(key);
      return [];
    }
    const words = {
      found: `(${JSON.stringify(name.value)}) has another autoscaler, which counts otherwise`,
      allowed: "one autoscaler for a workload",
      fix: "remove one",
    };
    return [{ of: member.of, ...faultAt(name, words) }];
  });
}

/** Whoever applies a count takes it from the autoscaler. */
export function autoscalerReplicas(set: ObjectSet): SetFault[] {
  return autoscalers(set)
    .filter(({ counts }) => counts)
    .flatMap((scaler): SetFault[] => {
      const target = findTarget(set, scaler).member;
      if (target === undefined) return [];
      const replicas = into(specOf(target), "replicas");
      if (!isSet(replicas.value)) return [];
      const words = {
        found: `is ${quote(replicas.value)}, while ${scaler.member.kind} ${text(scaler.member.name) ?? "?"} counts too: each update sets its count back`,
        allowed: "not set under an autoscaler",
        fix: "remove it",
      };
      return [{ of: target.of, ...faultAt({ ...replicas, value: 0 }, words) }];
    });
}

const REPLICATED = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"];

/** The least there may be, or undefined where nobody can say. */
function leastOf(set: ObjectSet, workload: Member): number | undefined {
  const scaler = autoscalers(set).find((each) => each.counts && findTarget(set, each).member === workload);
  const count =
    scaler === undefined
      ? (at(workload.manifest, "spec", "replicas") ?? 1)
      : (at(scaler.member.manifest, "spec", "minReplicas") ??
        at(scaler.member.manifest, "spec", "minReplicaCount") ??
        1);
  return typeof count === "number" ? count : undefined;
}

const budgetsOf = (set: ObjectSet): readonly Member[] => set.ofKind("PodDisruptionBudget", "policy");
const selectorOf = (budget: Member): unknown => at(budget.manifest, "spec", "selector");

export function disruptionBudget(set: ObjectSet): SetFault[] {
  const budgets = budgetsOf(set);
  return set.pods.flatMap(({ owner, labels, namespace, madeUp }): SetFault[] => {
    const least = REPLICATED.includes(owner.kind) && madeUp !== true ? leastOf(set, owner) : undefined;
    if (least === undefined || least < 2) return [];
    const covered = budgets.some(
      (budget) =>
        budget.namespace === namespace && isSet(selectorOf(budget)) && set.picks(selectorOf(budget), labels) !== false,
    );
    if (covered) return [];
    const replicas = into(specOf(owner), "replicas");
    const words = {
      found: `(${least}) asks for more than one, and no PodDisruptionBudget keeps any of them while nodes are drained`,
      allowed: "a PodDisruptionBudget that selects the pods",
      fix: "add one with maxUnavailable: 1 and the template's labels",
    };
    return [{ of: owner.of, ...faultAt({ ...replicas, value: least }, words) }];
  });
}

const share = (value: unknown, of: number): number | undefined => {
  if (typeof value === "number") return value;
  const percent = typeof value === "string" ? /^(\d+)%$/.exec(value)?.[1] : undefined;
  return percent === undefined ? undefined : Math.ceil((Number(percent) / 100) * of);
};

function movable(field: Located, found: string): Fault {
  const fix = "use maxUnavailable: 1, with more than one replica";
  return faultAt(field, {
    found,
    allowed: "a budget that lets at least one pod move, or no node can ever be drained",
    fix,
  });
}

export function budgetMovable(set: ObjectSet): SetFault[] {
  return budgetsOf(set).flatMap((budget): SetFault[] => {
    const most = into(specOf(budget), "maxUnavailable");
    const least = into(specOf(budget), "minAvailable");
    const tell = (fault: Fault): SetFault[] => [{ of: budget.of, ...fault }];
    if (most.value === UNKNOWN || least.value === UNKNOWN)
      return tell(movable({ ...(most.value === UNKNOWN ? most : least) }, ""));
    if (most.value === 0 || most.value === "0%" || most.value === "0")
      return tell(movable(most, `is ${quote(most.value)}: no pod may ever move`));
    if (least.value === "100%") return tell(movable(least, 'is "100%": no pod may ever move'));
    if (!isSet(least.value)) return [];
    const { sure, perhaps } = set.selected(selectorOf(budget), budget.namespace);
    const counts = sure.map(({ owner }) => (REPLICATED.includes(owner.kind) ? leastOf(set, owner) : undefined));
    if (sure.length === 0 || perhaps.length > 0 || counts.includes(undefined)) return [];
    const total = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    const kept = share(least.value, total);
    if (kept === undefined || kept < total) return [];
    return tell(movable(least, `is ${quote(least.value)} of ${total}: no pod may ever move`));
  });
}

/** A budget that selects nothing keeps nothing. */
export function budgetSelects(set: ObjectSet): SetFault[] {
  return budgetsOf(set).flatMap((budget): SetFault[] => {
    const selector = into(specOf(budget), "selector");
    const { sure, perhaps } = set.selected(selector.value, budget.namespace);
    const isEmpty = isSet(selector.value) && selectsAll(selector.value) === true;
    if (isSet(selector.value) && (isEmpty || sure.length > 0)) return [];
    const words = {
      found: isSet(selector.value) ? "selects no pod of its namespace" : "is not set, which selects none",
      allowed: "a selector that matches a pod template",
      fix: "write the labels that the template has",
    };
    return [
      {
        of: budget.of,
        ...faultAt(perhaps.length > 0 && isSet(selector.value) ? { ...selector, value: UNKNOWN } : selector, words),
      },
    ];
  });
}

const OWNERS = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"];

function ownSelector({ kind, manifest }: Member): unknown {
  const selector = at(manifest, "spec", "selector");
  return kind === "ReplicationController" && isSet(selector) ? { matchLabels: selector } : selector;
}

/** Two controllers that take the same pods for theirs count each other's. */
export function oneOwner(set: ObjectSet): SetFault[] {
  const owners = set.pods.filter(({ owner, madeUp }) => OWNERS.includes(owner.kind) && madeUp !== true);
  const told = new Set<string>();
  return owners.flatMap(({ owner }): SetFault[] => {
    const selector = ownSelector(owner);
    if (!isSet(selector)) return [];
    const field = into(specOf(owner), "selector");
    return owners.flatMap((other): SetFault[] => {
      const pair = [owner.of, other.owner.of].sort().join(" ");
      const isOther = other.owner !== owner && other.namespace === owner.namespace && owner.namespace !== UNKNOWN;
      if (!isOther || told.has(pair) || set.picks(selector, other.labels) !== true) return [];
      told.add(pair);
      const whose = `${other.owner.kind} ${text(other.owner.name) ?? "?"}`;
      const words = {
        found: `also selects the pods of ${whose}`,
        allowed: "a selector that matches its own template alone",
        fix: "add a label to both that tells them apart",
      };
      return [{ of: owner.of, ...faultAt(field, words) }];
    });
  });
}

/** The API server refuses a controller that does not select what it makes. */
export function ownLabels(set: ObjectSet): SetFault[] {
  return set.pods.flatMap(({ owner, labels, madeUp }): SetFault[] => {
    const selector = ownSelector(owner);
    if (!OWNERS.includes(owner.kind) || madeUp === true || !isSet(selector) || set.picks(selector, labels) !== false)
      return [];
    const field = into(specOf(owner), "selector");
    const words = {
      found: "does not match the labels of its own template",
      allowed: "labels that the template has",
      fix: "write the template's labels",
    };
    return [{ of: owner.of, ...faultAt(field, words) }];
  });
}

const QUOTAS = {
  ResourceQuota: "hard: { requests.cpu: …, requests.memory: …, pods: … }",
  LimitRange: "defaults for containers",
} as const;

/** A namespace without them may take the whole cluster. */
export function bounded(set: ObjectSet, kind: keyof typeof QUOTAS): SetFault[] {
  const bounds = set.ofKind(kind, "");
  return set.ofKind("Namespace", "").flatMap((namespace): SetFault[] => {
    if ([...OF_THE_SYSTEM, "default"].includes(namespace.name as string)) return [];
    const there = bounds.some((bound) => bound.namespace === namespace.name || bound.namespace === UNKNOWN);
    const spec = bounds
      .filter((bound) => bound.namespace === namespace.name)
      .flatMap((bound) => elements(into(specOf(bound), kind === "LimitRange" ? "limits" : "nothing")));
    if (there && (kind === "ResourceQuota" || spec.length > 0)) return [];
    const name = into({ path: "", value: namespace.manifest }, "metadata", "name");
    const words = {
      found: `(${JSON.stringify(name.value)}) has no ${kind}`,
      allowed: `a ${kind} in every namespace`,
      fix: `add one, with ${QUOTAS[kind]}`,
    };
    return [{ of: namespace.of, ...faultAt(name, words) }];
  });
}
