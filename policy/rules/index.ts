import type { Fault } from "./finding";
import { limits } from "./resources";
import type { Manifest } from "./manifest";
import { networkPolicy } from "./network";
import { nonRoot } from "./podSecurity";

interface RuleFacts {
  readonly id: string;
  readonly description: string;
  /** Public checks that the rule satisfies. */
  readonly controls: readonly string[];
}

/** Decided by one object alone, and therefore before that object is written. */
export interface ObjectRule extends RuleFacts {
  readonly check: (manifest: Manifest) => Fault[];
}

/** Decided only by everything that is deployed together: one list of faults for each object, in order. */
export interface SetRule extends RuleFacts {
  readonly checkAll: (manifests: readonly Manifest[]) => Fault[][];
}

export const OBJECT_RULES: readonly ObjectRule[] = [
  {
    id: "non-root",
    description: "No container may run as root, or leave that to its image.",
    controls: ["psa:runAsNonRoot", "psa:runAsUser", "cis:5.2.7"],
    check: nonRoot,
  },
  {
    id: "limits",
    description: "Every container says how much cpu and memory it requests and how much it may use.",
    controls: ["nsa:resource-policies"],
    check: limits,
  },
];

export const SET_RULES: readonly SetRule[] = [
  {
    id: "network-policy",
    description: "Every pod is isolated for ingress and for egress by a NetworkPolicy that selects it.",
    controls: ["cis:5.3.2", "nsa:network-separation"],
    checkAll: networkPolicy,
  },
];

export const RULE_IDS: readonly string[] = [...OBJECT_RULES, ...SET_RULES].map((rule) => rule.id);
