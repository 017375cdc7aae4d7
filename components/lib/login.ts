import type { PlatformConfig } from "./config";
import { deployerOf, hasDeployers } from "./deployer";
import type { Kubeconfig } from "./kubeconfig";
import { namespaceEntry } from "./namespaceEntry";

/** As whom a stack is deployed. */
export interface Login {
  readonly kubeconfig: Kubeconfig;
  /** What a deployer has to do in each of its namespaces first. */
  readonly enter?: (namespace: string) => Promise<void>;
  /** Whether any stack of the cluster has a deployer, which might promote what this one runs. */
  readonly promoters: boolean;
}

/**
 * The stack's deployer where the cluster has one, whoever starts the run: the provider's input, which the state keeps, is the
 * same for all of them. What the cluster has once takes an administrator.
 */
export async function loginOf(
  stack: string,
  { clusterServices, deployers }: Pick<PlatformConfig, "clusterServices" | "deployers">,
  kubeconfig: Kubeconfig,
): Promise<Login> {
  if (clusterServices === "install") return { kubeconfig, promoters: deployers.length > 0 };
  const deployer = await deployerOf(kubeconfig, stack);
  if (!deployer) return { kubeconfig, promoters: await hasDeployers(kubeconfig) };
  return { kubeconfig: deployer, enter: namespaceEntry(deployer, stack), promoters: true };
}
