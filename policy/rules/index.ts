import { POD_SECURITY_RULES } from "./podSecurity";
import { NETWORK_RULES } from "./networkRules";
import { limits } from "./resources";
import type { ObjectRule, SetRule } from "./rule";

export const OBJECT_RULES: readonly ObjectRule[] = [
  ...POD_SECURITY_RULES,
  {
    id: "limits",
    family: "Resources",
    description: "Every container says how much cpu and memory it requests and how much it may use.",
    controls: ["nsa:resource-policies"],
    gates: ["pack", "program", "check"],
    check: limits,
  },
];

export const SET_RULES: readonly SetRule[] = [...NETWORK_RULES];

export const RULE_IDS: readonly string[] = [...OBJECT_RULES, ...SET_RULES].map((rule) => rule.id);
