import { defaultDeny, dnsEgress, networkPolicy, policySelects } from "./network";
import type { SetRule } from "./rule";

const CONTROLS = ["cis:5.3.2", "nsa:network-separation"];
const facts = { family: "Network", controls: CONTROLS, gates: ["pack", "check"], fromAbsence: true } as const;

export const NETWORK_RULES: readonly SetRule[] = [
  {
    ...facts,
    id: "network-policy",
    description: "Every pod is isolated for ingress and for egress by a NetworkPolicy that selects it.",
    gates: ["pack", "program", "check"],
    checkAll: networkPolicy,
  },
  {
    ...facts,
    id: "default-deny",
    description: "Every namespace with pods denies all traffic that nothing allows, both ways.",
    checkAll: defaultDeny,
  },
  {
    ...facts,
    id: "dns-egress",
    description: "Where egress is closed and something is opened, the cluster's DNS is open too.",
    controls: [],
    checkAll: dnsEgress,
  },
  {
    ...facts,
    id: "policy-selects",
    description: "Every NetworkPolicy selects pods.",
    checkAll: policySelects,
  },
];
