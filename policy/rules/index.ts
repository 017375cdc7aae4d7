import { OBJECT_RULES } from "./objectRules";
import { SET_RULES } from "./setRules";

export { OBJECT_RULES, SET_RULES };

export const RULE_IDS: readonly string[] = [...OBJECT_RULES, ...SET_RULES].map((rule) => rule.id);
