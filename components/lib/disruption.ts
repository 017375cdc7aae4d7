import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, selector } from "./labels";
import { SKIP_AWAIT } from "./security";

/** Of the pods of one workload a drain takes away one at a time. */
export const oneAtATime = (
  identity: Identity,
  namespace: pulumi.Input<string>,
): { metadata: types.input.meta.v1.ObjectMeta; spec: types.input.policy.v1.PodDisruptionBudgetSpec } => ({
  metadata: { name: identity.name, namespace, labels: labels(identity), annotations: SKIP_AWAIT },
  spec: { maxUnavailable: 1, selector: { matchLabels: selector(identity) } },
});
