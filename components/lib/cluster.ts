import { setTimeout as sleep } from "node:timers/promises";
import { ApiServer, isForbidden } from "./apiServer";
import type { Kubeconfig } from "./kubeconfig";
import type { Place } from "./network";

/** The live cluster behind a kubeconfig: who it is, and what of it the program needs to know. */
export interface ClusterFacts {
  /** UID of the kube-system namespace, the cluster's identity. */
  readonly uid: string;
  readonly server: string;
  readonly podCidrs: readonly string[];
  /** Where pods reach the API server. */
  readonly apiServers: readonly Place[];
  /** The groups of its API, those of custom resources among them. */
  readonly apiGroups: readonly string[];
}

const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
/** The slice that the API server keeps of itself. */
export const API_SERVER_SLICE = "kubernetes";

/** What the definitions of the cluster's services add to its API. */
const SERVICES = ["cert-manager.io", "external-secrets.io", "gateway.networking.k8s.io"];
export const MONITORING_GROUP = "monitoring.coreos.com";

/** What a stack wants of what the cluster has once, beyond what every stack does. */
export interface WantedServices {
  readonly monitoring: boolean;
}

interface EndpointSlice {
  endpoints?: { addresses: string[] }[];
  ports?: { port: number }[];
}

export async function clusterFacts(kubeconfig: Kubeconfig): Promise<ClusterFacts> {
  const api = new ApiServer(kubeconfig);
  const [system, nodes, slices, apis] = await Promise.all([
    api.get<{ metadata: { uid: string } }>("/api/v1/namespaces/kube-system"),
    api.get<{ items: { spec: { podCIDRs?: string[] } }[] }>("/api/v1/nodes"),
    apiServerSlices(api),
    api.get<{ groups: { name: string }[] }>("/apis"),
  ]);
  return {
    uid: system.metadata.uid,
    server: kubeconfig.server,
    podCidrs: nodes.items
      .flatMap((node) => node.spec.podCIDRs ?? [])
      .filter((cidr) => !cidr.includes(":"))
      .sort(),
    apiGroups: apis.groups.map(({ name }) => name),
    apiServers: slices.flatMap(({ endpoints, ports }) =>
      (endpoints ?? []).flatMap(({ addresses }) =>
        addresses.flatMap((address) => (ports ?? []).map(({ port }) => ({ address, port }))),
      ),
    ),
  };
}

/** A deployer may read the one by its name. */
async function apiServerSlices(api: ApiServer): Promise<readonly EndpointSlice[]> {
  const list = api.get<{ items: EndpointSlice[] }>(`${SLICES}?labelSelector=kubernetes.io/service-name=kubernetes`);
  try {
    return (await list).items;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return [await api.get<EndpointSlice>(`${SLICES}/${API_SERVER_SLICE}`)];
  }
}

interface Balanced {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { hostname?: string; ip?: string }[] } };
}

/** Where a LoadBalancer Service is reached from outside; undefined if by the end of our patience it has no address. */
export async function serviceAddress(
  kubeconfig: Kubeconfig,
  namespace: string,
  name: string,
  patienceMs: number,
): Promise<string | undefined> {
  const api = new ApiServer(kubeconfig);
  const end = Date.now() + patienceMs;
  for (;;) {
    const service = await api.ask<Balanced>(`/api/v1/namespaces/${namespace}/services/${name}`);
    const ingress = service?.status?.loadBalancer?.ingress?.[0];
    const address = ingress?.hostname ?? ingress?.ip;
    if (address || Date.now() >= end) return address;
    await sleep(500);
  }
}

/** The values of a Secret; undefined where there is none. */
export async function readSecret(
  kubeconfig: Kubeconfig,
  namespace: string,
  name: string,
): Promise<Record<string, string> | undefined> {
  const url = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  const secret = await new ApiServer(kubeconfig).ask<{ data?: Record<string, string> }>(url);
  const entries = Object.entries(secret?.data ?? {});
  return secret && Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
}

/** Refuses every cluster but the one the stack belongs to. */
export function checkPin(stack: string, facts: ClusterFacts, pin: string | undefined, context: string): void {
  if (pin === facts.uid) return;
  const found = `context "${context}" (${facts.server}) is cluster ${facts.uid}`;
  if (!pin) {
    throw new Error(
      `stack ${stack} is not bound to a cluster yet, and ${found}. If that is the one: pulumi config set platform:clusterUid ${facts.uid} -s ${stack}, and commit the file.`,
    );
  }
  throw new Error(
    `refused: stack ${stack} belongs to cluster ${pin}, but ${found}. Nothing was written. Set KUBECONFIG to the right cluster's file.`,
  );
}

/** Refuses a stack that uses what the cluster has once, where the cluster does not have it. */
export function checkServices(
  stack: string,
  { apiGroups, server }: ClusterFacts,
  { monitoring }: WantedServices,
): void {
  const wanted = monitoring ? [...SERVICES, MONITORING_GROUP] : SERVICES;
  const missing = wanted.filter((group) => !apiGroups.includes(group));
  if (missing.length === 0) return;
  const monitored = missing.includes(MONITORING_GROUP)
    ? ` It installs ${MONITORING_GROUP} where its platform:monitoring.enabled is true; where that is false here, none is needed.`
    : "";
  throw new Error(
    `stack ${stack} uses what another stack installs for the whole cluster (platform:clusterServices: use), but ${server} does not know ` +
      `${missing.join(" and ")}. Bring up the stack that installs them first (pulumi up -s dev), or set platform:clusterServices to install.${monitored} Nothing was written.`,
  );
}
