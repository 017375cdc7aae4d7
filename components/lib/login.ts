import { deployerOf } from "./deployer";
import type { Kubeconfig } from "./kubeconfig";
import { namespaceEntry } from "./namespaceEntry";

/** As whom a stack is deployed. */
export interface Login {
  readonly kubeconfig: Kubeconfig;
  /** What a deployer has to do in each of its namespaces first. */
  readonly enter?: (namespace: string) => Promise<void>;
}

/**
 * The stack's deployer where the cluster has one, whoever starts the run: the provider's input, which the state keeps, is the
 * same for all of them. What the cluster has once takes an administrator.
 */
export async function loginOf(stack: string, installs: boolean, kubeconfig: Kubeconfig): Promise<Login> {
  const deployer = installs ? undefined : await deployerOf(kubeconfig, stack);
  return deployer ? { kubeconfig: deployer, enter: namespaceEntry(deployer, stack) } : { kubeconfig };
}
