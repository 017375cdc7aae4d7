import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Edge } from ".";

/** The label below each environment's domain that its dashboards have, and no application may take. */
export const DASHBOARDS_HOST = "grafana";
/** Likewise, of its status page. */
export const STATUS_HOST = "status";

/** A Service beside the route, on port 80; where there are several, with its part of the requests. */
interface Backend {
  readonly name: pulumi.Input<string>;
  readonly weight?: number;
}

/** What leads to backends, but for these. */
export const matchesOf = (path?: string): object =>
  path === undefined ? {} : { matches: [{ path: { type: "PathPrefix", value: path } }] };

/** The way from a host of the edge, or from a path of it, to Services. Of several paths the longest leads. */
export const routeTo = (
  edge: Edge,
  host: string,
  metadata: k8s.types.input.meta.v1.ObjectMeta,
  backends: readonly Backend[],
  path?: string,
): k8s.apiextensions.CustomResourceArgs => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "HTTPRoute",
  metadata,
  spec: {
    parentRefs: [{ ...edge.parent, sectionName: "https" }],
    hostnames: [edge.hostOf(host)],
    rules: [{ ...matchesOf(path), backendRefs: backends.map((each) => ({ ...each, port: 80 })) }],
  },
});
