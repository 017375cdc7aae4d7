import * as k8s from "@pulumi/kubernetes";
import * as random from "@pulumi/random";
import type { ClusterFacts } from "./cluster";
import type { Kubeconfig } from "./kubeconfig";

/** One for each system, bound to what it is for: nothing is left to a default one, or to an ambient kubeconfig. */
export const createProviders = (
  { providerInput }: Kubeconfig,
  { uid }: ClusterFacts,
): { kubernetes: k8s.Provider; random: random.Provider } => ({
  kubernetes: new k8s.Provider("cluster", {
    kubeconfig: providerInput,
    clusterIdentifier: uid,
    kubeClientSettings: { qps: 500, burst: 1000 },
  }),
  random: new random.Provider("random"),
});
