import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type Peer, link } from "../lib/network";
import { MONITORING_API } from "./operator";
import type { Rule } from "./rule";

/** Pods that tell their metrics. */
export interface Watched {
  readonly peer: Peer;
  /** One that a container of theirs declares, or several. */
  readonly port: number | readonly number[];
  /** @default "/metrics" */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string[]>>;
  /** Asked over TLS: who vouches for the servers (PEM), and the name they go by. */
  readonly tls?: { readonly authority: pulumi.Input<string>; readonly serverName: pulumi.Input<string> };
  /** What is wrong with them, and how that shows. */
  readonly rules?: readonly Rule[];
}

/** A server that users ask, here by its Service inside the cluster. */
export interface Probed {
  readonly peer: Peer;
  /** On which its pods listen. */
  readonly port: number;
  /** Answers 2xx when all is well, and changes nothing. @example "http://web.dev-apps.svc.cluster.local/readyz" */
  readonly url: pulumi.Input<string>;
}

/** Opens the way from Prometheus to pods, and tells it to go there. */
export function watchPods(
  resourceName: string,
  job: string,
  prometheus: Peer,
  { peer, port, path = "/metrics", query, tls }: Watched,
  labels: Readonly<Record<string, string>>,
  opts: pulumi.CustomResourceOptions,
): void {
  link(prometheus, peer, port, opts);
  const tlsConfig = tls && trust(resourceName, peer, tls, opts);
  new k8s.apiextensions.CustomResource(
    resourceName,
    {
      apiVersion: MONITORING_API,
      kind: "PodMonitor",
      metadata: { name: job, namespace: peer.namespace, labels },
      spec: {
        selector: { matchLabels: peer.selector },
        // For servers that do not say in which format they tell.
        fallbackScrapeProtocol: "PrometheusText0.0.4",
        podMetricsEndpoints: [port].flat().map((portNumber) => ({
          portNumber,
          path,
          ...(query ? { params: query } : {}),
          ...(tlsConfig ? { scheme: "https", tlsConfig } : {}),
          relabelings: [{ action: "replace", targetLabel: "job", replacement: job }],
        })),
      },
    },
    opts,
  );
}

function trust(
  resourceName: string,
  peer: Peer,
  { authority, serverName }: NonNullable<Watched["tls"]>,
  opts: pulumi.CustomResourceOptions,
): object {
  const bundle = new k8s.core.v1.ConfigMap(
    `${resourceName}-authority`,
    { metadata: { namespace: peer.namespace }, data: { "ca.crt": authority } },
    opts,
  );
  return { ca: { configMap: { name: bundle.metadata.name, key: "ca.crt" } }, serverName };
}
