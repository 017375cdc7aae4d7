import * as accounts from "./accounts";
import * as network from "./network";
import * as references from "./references";
import * as routes from "./routes";
import type { SetRule } from "./rule";
import * as scaling from "./scaling";
import * as services from "./services";

type CheckAll = SetRule["checkAll"];
type Judged = "whole" | "any";

/** The rest needs names that only the engine knows: inside the program, names that it makes up are not there yet. */
const GATES_OF: Readonly<Record<string, SetRule["gates"]>> = {
  "network-policy": ["pack", "program", "check"],
  // The pack sees what the cluster made of an object, and there the autoscaler's count stands where nobody asked for one.
  "autoscaler-replicas": ["program", "check"],
};

/** "whole": it misses objects, and so is asked of a complete set alone. */
const rule = (
  family: string,
  id: string,
  judged: Judged,
  description: string,
  checkAll: CheckAll,
  controls: readonly string[] = [],
): SetRule => ({
  id,
  family,
  description,
  controls,
  gates: GATES_OF[id] ?? ["pack", "check"],
  checkAll,
  ...(judged === "whole" ? { fromAbsence: true } : {}),
});

const SEPARATION = ["cis:5.3.2", "nsa:network-separation"];

/** Decided by what is deployed together. */
export const SET_RULES: readonly SetRule[] = [
  rule(
    "Network",
    "network-policy",
    "whole",
    "Every pod is isolated for ingress and for egress by a NetworkPolicy that selects it.",
    network.networkPolicy,
    SEPARATION,
  ),
  rule(
    "Network",
    "default-deny",
    "whole",
    "Every namespace denies all traffic that nothing allows, both ways.",
    network.defaultDeny,
    SEPARATION,
  ),
  rule(
    "Network",
    "dns-egress",
    "whole",
    "Where egress is closed and something is opened, the cluster's DNS is open too.",
    network.dnsEgress,
  ),
  rule("Network", "policy-selects", "whole", "Every NetworkPolicy selects pods.", network.policySelects, SEPARATION),
  rule(
    "Services",
    "service-selects",
    "whole",
    "Every Service selects pods, and they have its target ports.",
    services.serviceSelects,
  ),
  rule(
    "Services",
    "stateful-service",
    "whole",
    "Every StatefulSet has a headless Service that selects its pods.",
    services.statefulService,
  ),
  rule(
    "Services",
    "route-backend",
    "whole",
    "Every route leads to a port of a Service that exists, through a Gateway that exists.",
    routes.routes,
  ),
  rule(
    "Services",
    "route-certificate",
    "whole",
    "Every certificate that a route or gateway serves exists.",
    routes.certificates,
  ),
  rule(
    "Services",
    "monitor-port",
    "whole",
    "Every ServiceMonitor and PodMonitor finds what it watches, by ports that are there.",
    services.monitors,
  ),
  rule(
    "Scaling",
    "autoscaler-target",
    "whole",
    "Every autoscaler has a target that exists, and is its only one.",
    scaling.autoscalerTarget,
  ),
  rule(
    "Scaling",
    "autoscaler-replicas",
    "any",
    "Under an autoscaler no count of replicas is set.",
    scaling.autoscalerReplicas,
  ),
  rule(
    "Scaling",
    "disruption-budget",
    "whole",
    "Workloads of more than one replica have a disruption budget.",
    scaling.disruptionBudget,
  ),
  rule(
    "Scaling",
    "budget-movable",
    "any",
    "Every disruption budget lets at least one pod move.",
    scaling.budgetMovable,
  ),
  rule("Scaling", "budget-selects", "whole", "Every disruption budget selects pods.", scaling.budgetSelects),
  rule("Scaling", "one-owner", "any", "No two controllers select the same pods.", scaling.oneOwner),
  rule("Scaling", "own-labels", "any", "Every controller selects the pods that it makes.", scaling.ownLabels),
  rule(
    "References",
    "missing-reference",
    "whole",
    "The Secrets and ConfigMaps that pods need exist, with the keys that they need.",
    references.missingReferences,
  ),
  rule(
    "References",
    "missing-volume",
    "whole",
    "What containers mount is among the pod's volumes, and claims exist.",
    references.missingVolumes,
  ),
  rule(
    "References",
    "missing-account",
    "whole",
    "The service accounts of pods and bindings exist.",
    accounts.missingAccounts,
  ),
  rule("References", "missing-role", "whole", "The roles of bindings exist.", accounts.missingRoles),
  rule(
    "Rights",
    "service-token",
    "any",
    "No pod has a service account's token unless it asks for it, with an account of its own.",
    accounts.serviceToken,
    ["cis:5.1.6"],
  ),
  rule(
    "Resources",
    "resource-quota",
    "whole",
    "Every namespace has a quota.",
    (set) => scaling.bounded(set, "ResourceQuota"),
    ["nsa:resource-policies"],
  ),
  rule(
    "Resources",
    "limit-range",
    "whole",
    "Every namespace has default limits.",
    (set) => scaling.bounded(set, "LimitRange"),
    ["nsa:resource-policies"],
  ),
];
