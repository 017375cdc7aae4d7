import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Autoscale } from "../lib/appSettings";
import { oneAtATime } from "../lib/disruption";
import { type Identity, labels, selector } from "../lib/labels";
import { SKIP_AWAIT } from "../lib/security";
import { type Colour, type Strategy, coloursOf } from "../lib/strategyConfig";
import { nameOf } from "./deployment";
import { COLOUR_LABEL } from "./switch/settings";

/** Whoever changes the strategy changes this too: what a switch had moved is then put back. */
const STRATEGY_ANNOTATION = "platform/strategy";
const ALL = 100;

/** What of an application its objects are about. */
interface Subject {
  readonly namespace: pulumi.Input<string>;
  readonly strategy?: Strategy;
  readonly expose?: boolean;
}

/** What an object is for, of those that there are for each version. */
export const roleOf = (role: string, colour?: Colour): string => (colour ? `${colour}-${role}` : role);

export const metadataOf = (
  { strategy, namespace }: Subject,
  identity: Identity,
  colour?: Colour,
): k8s.types.input.meta.v1.ObjectMeta => ({
  name: nameOf(identity.name, colour),
  namespace,
  labels: labels(identity),
  annotations: strategy ? { ...SKIP_AWAIT, [STRATEGY_ANNOTATION]: strategy.type } : SKIP_AWAIT,
});

const podsOf = (identity: Identity, colour?: Colour): Record<string, string> => ({
  ...selector(identity),
  ...(colour ? { [COLOUR_LABEL]: colour } : {}),
});

/** The one that clients know selects every version until a switch has chosen one. */
export const serviceOf = (subject: Subject, identity: Identity, colour?: Colour): k8s.core.v1.ServiceArgs => ({
  metadata: metadataOf(subject, identity, colour),
  spec: {
    ...(subject.expose && !colour ? { type: "LoadBalancer", allocateLoadBalancerNodePorts: false } : {}),
    selector: podsOf(identity, colour),
    ports: [{ name: "http", port: 80, targetPort: "http" }],
  },
});

export const autoscalerOf = (
  subject: Subject,
  { min, max, cpu }: Autoscale,
  deployment: pulumi.Input<string>,
  identity: Identity,
  colour?: Colour,
): k8s.autoscaling.v2.HorizontalPodAutoscalerArgs => ({
  metadata: metadataOf(subject, identity, colour),
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
    minReplicas: min,
    maxReplicas: max,
    metrics: [
      { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: cpu } } },
    ],
  },
});

export const budgetOf = (
  { namespace }: Subject,
  identity: Identity,
  colour?: Colour,
): k8s.policy.v1.PodDisruptionBudgetArgs => {
  const { metadata, spec } = oneAtATime(identity, namespace);
  if (!colour) return { metadata, spec };
  const pods = { matchLabels: podsOf(identity, colour) };
  return { metadata: { ...metadata, name: nameOf(identity.name, colour) }, spec: { ...spec, selector: pods } };
};

/** The Services of its versions, all requests to the first until a switch shares them out; else the one that it has. */
export function backendsOf(
  subject: Subject,
  name: string,
  service: pulumi.Input<string>,
): { name: pulumi.Input<string>; weight?: number }[] {
  const colours = coloursOf(subject);
  if (colours.length === 0) return [{ name: service }];
  return colours.map((colour, index) => ({ name: nameOf(name, colour), weight: index === 0 ? ALL : 0 }));
}
