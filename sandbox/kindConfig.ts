import { VAULT_PORT } from "../components/secretsPlatform/settings";
import { PULL_PORT, PUSH_PORT } from "../components/lib/registryPorts";
import { ENVIRONMENTS } from "./environments";

/** What a kind cluster of ours looks like, and how to read what Docker says of it. */

/** Kubernetes 1.34 as kind 0.30 was released with. */
const NODE_IMAGE = "kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a";

/** The ports of LoadBalancer Services that the host's loopback passes on, for hosts that cannot reach Docker's network. */
export const HTTP = 80;
/** An environment has one address here, on which 80 and 443 are taken. */
export const EDGE_PORTS = { http: 8080, https: 8443 };
const PUBLISHED = [PULL_PORT, PUSH_PORT, HTTP, VAULT_PORT, EDGE_PORTS.http, EDGE_PORTS.https];

const PLACES = [
  { zone: "zone-a", region: "region-1" },
  { zone: "zone-b", region: "region-1" },
  { zone: "zone-c", region: "region-2" },
];

/** As kind names them; the first is the control plane. Each stands for the LoadBalancer address of one environment. */
export const nodeNames = (cluster: string): string[] =>
  ["control-plane", "worker", "worker2"].map((suffix) => `${cluster}-${suffix}`);

export function kindConfig(cluster: string): unknown {
  return {
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    name: cluster,
    containerdConfigPatches: [
      `[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n`,
    ],
    nodes: PLACES.map(({ zone, region }, index) => ({
      role: index === 0 ? "control-plane" : "worker",
      image: NODE_IMAGE,
      labels: { "topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": region },
      // Without a host port kind takes a free one and keeps it.
      extraPortMappings: PUBLISHED.map((containerPort) => ({ containerPort, listenAddress: "127.0.0.1" })),
    })),
  };
}

export interface KindNode {
  readonly name: string;
  readonly environment: string;
  readonly running: boolean;
  /** On Docker's network. */
  readonly address: string;
  /** Ports on the host's loopback, by the node's own. */
  readonly ports: Readonly<Record<number, number>>;
}

interface Container {
  Name: string;
  State: { Running: boolean };
  NetworkSettings: {
    Networks: Record<string, { IPAddress?: string }>;
    Ports: Record<string, { HostPort: string }[] | null>;
  };
}

/** Reads `docker inspect NODE…`. */
export function readNodes(inspection: string): KindNode[] {
  return (JSON.parse(inspection) as Container[]).map((container, index) => ({
    name: container.Name.replace(/^\//, ""),
    environment: ENVIRONMENTS[index] ?? "",
    running: container.State.Running,
    address: Object.values(container.NetworkSettings.Networks).find((network) => network.IPAddress)?.IPAddress ?? "",
    ports: Object.fromEntries(
      Object.entries(container.NetworkSettings.Ports).flatMap(([port, bindings]) =>
        bindings?.[0] ? [[parseInt(port), Number(bindings[0].HostPort)]] : [],
      ),
    ),
  }));
}
