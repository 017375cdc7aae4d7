import { setTimeout as sleep } from "node:timers/promises";
import { ApiServer } from "./apiServer";
import { DEPLOYERS_NAMESPACE, deployerName } from "./deployer";
import type { Kubeconfig } from "./kubeconfig";

/** What a deployer may do in a namespace of its own. */
export const NAMESPACE_ROLE = "platform-deployer";

const RBAC = "rbac.authorization.k8s.io";
const PATIENCE_MS = 30_000;
const PAUSE_MS = 100;
/** One after the other, each on a connection of its own: behind a load balancer other servers answer, which may lag. */
const TIMES = 3;

/** By which a deployer takes its rights in a namespace that it made. */
export const claimOf = (stack: string, namespace: string): object => ({
  apiVersion: `${RBAC}/v1`,
  kind: "RoleBinding",
  metadata: { name: deployerName(stack), namespace },
  roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: NAMESPACE_ROLE },
  subjects: [{ kind: "ServiceAccount", name: deployerName(stack), namespace: DEPLOYERS_NAMESPACE }],
});

/**
 * Takes a deployer's rights in a namespace of its own, and waits until they hold. They are in no state: they belong to
 * whoever deploys and not to what is deployed, and a stack that took them down itself could not see the end of it.
 */
export function namespaceEntry(
  kubeconfig: Kubeconfig,
  stack: string,
  patienceMs = PATIENCE_MS,
): (namespace: string) => Promise<void> {
  let api: ApiServer | undefined;
  return async (namespace) => {
    api ??= new ApiServer(kubeconfig);
    if (await mayWork(api, namespace)) return;
    const url = `/apis/${RBAC}/v1/namespaces/${namespace}/rolebindings/${deployerName(stack)}`;
    await api.ask(`${url}?fieldManager=platform&force=true`, {
      method: "PATCH",
      headers: { "content-type": "application/apply-patch+yaml" },
      body: JSON.stringify(claimOf(stack, namespace)),
    });
    const end = Date.now() + patienceMs;
    for (let seen = 0; seen < TIMES; seen = (await mayWork(api, namespace)) ? seen + 1 : 0) {
      if (Date.now() > end)
        throw new Error(
          `${deployerName(stack)} has bound its rights in ${namespace}, but may still not work there after ${patienceMs / 1000} s: ` +
            `is the ClusterRole ${NAMESPACE_ROLE} there? The stack that installs the cluster's services makes it (platform:deployers)`,
        );
      await sleep(PAUSE_MS);
    }
  };
}

/** Asks for what everything else in a namespace comes after: its default deny. */
async function mayWork(api: ApiServer, namespace: string): Promise<boolean> {
  const review = await api.ask<{ status?: { allowed?: boolean } }>(
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: {
          resourceAttributes: { namespace, verb: "create", group: "networking.k8s.io", resource: "networkpolicies" },
        },
      }),
    },
  );
  return review?.status?.allowed === true;
}
