import * as pulumi from "@pulumi/pulumi";
import { OPERATORS_NAMESPACE } from "../clusterServices/controller";
import { CONTROLLER_METRICS } from "../clusterServices/controllers";

/** The controllers that all environments of the cluster share. */
export const SHARED = Object.entries(CONTROLLER_METRICS).map(([name, port]) => ({ name, port }));

/** Those that speak of objects in namespaces, other environments' among them. */
const OF_NAMESPACES = ["cert-manager", "external-secrets", "kube-state-metrics"];

/**
 * Prometheus' own configuration for them. They are asked under their Services' names, so that nothing has to be looked up in
 * their namespace, and one that is gone shows as one that does not answer. What they say of namespaces that are not this
 * environment's is thrown away.
 */
export function sharedScrapes(namespaces: readonly pulumi.Input<string>[]): pulumi.Output<string> {
  return pulumi.all([...namespaces]).apply((own) =>
    JSON.stringify(
      SHARED.map(({ name, port }) => ({
        job_name: name,
        honor_labels: true,
        static_configs: [{ targets: [`${name}.${OPERATORS_NAMESPACE}.svc.cluster.local:${port}`] }],
        ...(OF_NAMESPACES.includes(name)
          ? {
              metric_relabel_configs: [
                // A metric without a namespace is the controller's own.
                { source_labels: ["namespace"], regex: ["", ...own].join("|"), action: "keep" },
              ],
            }
          : {}),
      })),
    ),
  );
}
