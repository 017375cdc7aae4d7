import * as pulumi from "@pulumi/pulumi";
import { OPERATORS_NAMESPACE, controllerPeer } from "../clusterServices/controller";
import { CONTROLLER_METRICS } from "../clusterServices/controllers";
import { NODE_EXPORTER, nodeExporterPeer } from "../clusterServices/nodeExporter";
import type { Peer } from "../lib/network";

/** What all environments of the cluster share. */
export interface Shared {
  readonly name: string;
  readonly peer: Peer;
  readonly port: number;
  /** How Prometheus finds it, in the terms of its own configuration. */
  readonly found: object;
}

const host = (name: string, namespace: string): string => `${name}.${namespace}.svc.cluster.local`;

/**
 * All by the names of their Services, so that nothing has to be looked up in their namespaces: a controller that is gone shows
 * as one that does not answer, and the nodes' exporters are the addresses behind one name.
 */
export const SHARED: readonly Shared[] = [
  ...Object.entries(CONTROLLER_METRICS).map(([name, port]) => ({
    name,
    port,
    peer: controllerPeer(name),
    found: { static_configs: [{ targets: [`${host(name, OPERATORS_NAMESPACE)}:${port}`] }] },
  })),
  {
    name: NODE_EXPORTER.name,
    port: NODE_EXPORTER.port,
    peer: nodeExporterPeer,
    found: {
      dns_sd_configs: [
        { names: [host(NODE_EXPORTER.name, NODE_EXPORTER.namespace)], type: "A", port: NODE_EXPORTER.port },
      ],
    },
  },
];

/** Those that speak of objects in namespaces, other environments' among them. */
const OF_NAMESPACES = ["cert-manager", "external-secrets", "kube-state-metrics"];

/** Prometheus' own configuration for them. What they say of namespaces that are not this environment's is thrown away. */
export function sharedScrapes(namespaces: readonly pulumi.Input<string>[]): pulumi.Output<string> {
  return pulumi.all([...namespaces]).apply((own) =>
    JSON.stringify(
      SHARED.map(({ name, found }) => ({
        job_name: name,
        honor_labels: true,
        ...found,
        ...(OF_NAMESPACES.includes(name)
          ? {
              metric_relabel_configs: [
                // A metric without a namespace is the controller's own, or a node's.
                { source_labels: ["namespace"], regex: ["", ...own].join("|"), action: "keep" },
              ],
            }
          : {}),
      })),
    ),
  );
}
