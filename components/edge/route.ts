import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Edge } from ".";

/** The label below each environment's domain that its dashboards have, and no application may take. */
export const DASHBOARDS_HOST = "grafana";
/** Likewise, of its status page. */
export const STATUS_HOST = "status";

/** The way from a host of the edge, or from a path of it, to a Service beside it, on port 80. Of several paths the longest leads. */
export const routeTo = (
  edge: Edge,
  host: string,
  metadata: k8s.types.input.meta.v1.ObjectMeta,
  service: pulumi.Input<string>,
  path?: string,
): k8s.apiextensions.CustomResourceArgs => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "HTTPRoute",
  metadata,
  spec: {
    parentRefs: [{ ...edge.parent, sectionName: "https" }],
    hostnames: [edge.hostOf(host)],
    rules: [
      {
        ...(path === undefined ? {} : { matches: [{ path: { type: "PathPrefix", value: path } }] }),
        backendRefs: [{ name: service, port: 80 }],
      },
    ],
  },
});
