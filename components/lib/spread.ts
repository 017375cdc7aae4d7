import type { types } from "@pulumi/kubernetes";

/** `hard`: never two replicas on one node; `soft`: rather not. */
export type Spread = "soft" | "hard";

type Placement = Pick<types.input.core.v1.PodSpec, "affinity" | "topologySpreadConstraints">;

/** A rollout finds room although every node has a replica: only pods of the same revision count. */
const SAME_REVISION = ["pod-template-hash"];
const NODE = "kubernetes.io/hostname";
const ZONE = "topology.kubernetes.io/zone";

/** How a Deployment's replicas stand on nodes and zones. Zones are only preferred: not every cluster's nodes name theirs. */
export function spreading(selector: Readonly<Record<string, string>>, spread: Spread): Placement {
  const labelSelector = { matchLabels: selector };
  const over = (topologyKey: string, whenUnsatisfiable: string): types.input.core.v1.TopologySpreadConstraint => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable,
    labelSelector,
    matchLabelKeys: SAME_REVISION,
  });
  const apart = { topologyKey: NODE, labelSelector, matchLabelKeys: SAME_REVISION };
  return {
    topologySpreadConstraints: [
      over(NODE, spread === "hard" ? "DoNotSchedule" : "ScheduleAnyway"),
      over(ZONE, "ScheduleAnyway"),
    ],
    // A spread alone would let a fourth replica on one of three nodes.
    ...(spread === "hard"
      ? { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } } }
      : {}),
  };
}

/** Of a pod that holds no data: it is made anew elsewhere half a minute after its node was lost, not five minutes. */
export const LEAVES_LOST_NODE: types.input.core.v1.Toleration[] = ["not-ready", "unreachable"].map((state) => ({
  key: `node.kubernetes.io/${state}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 30,
}));
