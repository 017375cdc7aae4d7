import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** A cloud may take minutes, which the next update shows; a cluster without load balancers must not cost an update more. */
const PATIENCE_MS = 10_000;

export const NO_ADDRESS =
  "no address yet: the cluster gives LoadBalancer Services none, or later (run pulumi up again)";

/** Asks the cluster for the address of a Service that is exposed, for so long. */
export type AddressOf = (namespace: string, service: string, patienceMs: number) => Promise<string | undefined>;

/**
 * Where a LoadBalancer Service answers, asked once its servers are ready. It is asked for and not a resource that is read: a
 * destroy drops such a one from the state before it knows whether it may destroy at all.
 */
export function balancerAddress(
  service: k8s.core.v1.Service,
  servers: pulumi.CustomResource,
  addressOf: AddressOf,
): pulumi.Output<string | undefined> {
  const ready = pulumi.all([service.metadata.namespace, service.metadata.name, service.id, servers.id]);
  return ready.apply(([namespace, name]) => addressOf(namespace, name, pulumi.runtime.isDryRun() ? 0 : PATIENCE_MS));
}
