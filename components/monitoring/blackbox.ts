import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, selector } from "../lib/labels";
import { type Peer, link } from "../lib/network";
import { SKIP_AWAIT, WORKLOAD_TIMEOUT, containerSecurity, podSecurity } from "../lib/security";
import { whenReady, whileAlive } from "../lib/probes";
import { MONITORING_API } from "./operator";
import type { Probed } from "./watch";

export const BLACKBOX_PORT = 9115;
const MODULE = "answers";

type Name = (role: string) => string;

/** Asks like a user, and tells Prometheus whether it got an answer. */
export function createBlackbox(
  child: Name,
  { namespace, image }: { readonly namespace: pulumi.Output<string>; readonly image: pulumi.Input<string> },
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): k8s.apps.v1.Deployment {
  const module = { prober: "http", timeout: "5s", http: { preferred_ip_protocol: "ip4", follow_redirects: false } };
  const config = new k8s.core.v1.ConfigMap(
    child("config"),
    { metadata: { namespace }, data: { "blackbox.yml": JSON.stringify({ modules: { [MODULE]: module } }) } },
    opts,
  );
  new k8s.core.v1.Service(
    child("service"),
    {
      metadata: { name: identity.name, namespace, labels: labels(identity), annotations: SKIP_AWAIT },
      spec: { selector: selector(identity), ports: [{ name: "http", port: BLACKBOX_PORT, targetPort: "http" }] },
    },
    opts,
  );
  const probe = { httpGet: { path: "/-/healthy", port: "http" } };
  return new k8s.apps.v1.Deployment(
    child("server"),
    {
      metadata: { name: identity.name, namespace, labels: labels(identity) },
      spec: {
        replicas: 1,
        selector: { matchLabels: selector(identity) },
        template: {
          metadata: { labels: labels(identity) },
          spec: {
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: podSecurity(),
            containers: [
              {
                name: "blackbox",
                image,
                args: ["--config.file=/etc/blackbox/blackbox.yml", "--log.level=warn"],
                ports: [{ name: "http", containerPort: BLACKBOX_PORT }],
                resources: { requests: { cpu: "10m", memory: "24Mi" }, limits: { cpu: "200m", memory: "64Mi" } },
                readinessProbe: whenReady(probe),
                livenessProbe: whileAlive(probe),
                securityContext: containerSecurity(),
                volumeMounts: [{ name: "config", mountPath: "/etc/blackbox", readOnly: true }],
              },
            ],
            volumes: [{ name: "config", configMap: { name: config.metadata.name } }],
          },
        },
      },
    },
    { ...opts, ...WORKLOAD_TIMEOUT },
  );
}

/** Opens the way from the exporter to a server, and lets it ask there every quarter of a minute. */
export function probeEndpoint(
  resourceName: string,
  app: string,
  blackbox: Peer,
  { peer, port, url }: Probed,
  labelsOfProbe: Readonly<Record<string, string>>,
  opts: pulumi.CustomResourceOptions,
): void {
  link(blackbox, peer, port, opts);
  new k8s.apiextensions.CustomResource(
    resourceName,
    {
      apiVersion: MONITORING_API,
      kind: "Probe",
      metadata: { name: app, namespace: blackbox.namespace, labels: labelsOfProbe },
      spec: {
        jobName: `endpoint-${app}`,
        module: MODULE,
        prober: { url: pulumi.interpolate`blackbox.${blackbox.namespace}.svc.cluster.local:${BLACKBOX_PORT}` },
        targets: { staticConfig: { static: [url], labels: { app } } },
      },
    },
    opts,
  );
}
