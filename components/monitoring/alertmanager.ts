import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ENVIRONMENT_LABEL, type Identity, labels, selector } from "../lib/labels";
import { type Peer, toAddresses } from "../lib/network";
import { WORKLOAD_TIMEOUT, podSecurity } from "../lib/security";
import { MONITORING_API, WAIT_FOR_AVAILABLE } from "./operator";

/** Who is told of alerts. */
export interface Webhook {
  readonly url: string;
  /** Address ranges behind the URL's host, as a network policy knows no names. */
  readonly addresses: readonly string[];
}

export interface AlertmanagerArgs {
  readonly environment: string;
  readonly namespace: pulumi.Output<string>;
  readonly image: pulumi.Input<string>;
  readonly webhook?: Webhook;
}

export const ALERTMANAGER = { port: 9093, service: "alertmanager-operated" } as const;
const VERSION = "0.25.0";

/** Without a webhook, alerts are kept and shown, and sent to nobody. */
export function alertmanagerConfig(webhook: Webhook | undefined): string {
  const receiver = webhook ? "webhook" : "nobody";
  return JSON.stringify({
    route: {
      receiver,
      group_by: ["alertname", "namespace"],
      group_wait: "10s",
      group_interval: "1m",
      repeat_interval: "4h",
      routes: [
        // The dead man's switch: whoever gets it knows within minutes that it stopped.
        { matchers: ['alertname="Watchdog"'], receiver, group_wait: "0s", group_interval: "1m", repeat_interval: "1m" },
      ],
    },
    receivers: [
      { name: "nobody" },
      ...(webhook ? [{ name: "webhook", webhook_configs: [{ url: webhook.url, send_resolved: true }] }] : []),
    ],
  });
}

/** The port that a URL means. */
export function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port ? Number(port) : protocol === "https:" ? 443 : 80;
}

export function createAlertmanager(
  child: (role: string) => string,
  { environment, namespace, image, webhook }: AlertmanagerArgs,
  identity: Identity,
  peer: Peer,
  opts: pulumi.CustomResourceOptions,
): k8s.apiextensions.CustomResource {
  if (webhook) toAddresses(peer, "webhook", webhook.addresses, portOf(webhook.url), opts);
  const config = new k8s.core.v1.Secret(
    child("config"),
    // A webhook's URL is often all that it takes to use it.
    { metadata: { namespace }, stringData: { "alertmanager.yaml": pulumi.secret(alertmanagerConfig(webhook)) } },
    opts,
  );
  const account = new k8s.core.v1.ServiceAccount(
    child("account"),
    { metadata: { name: identity.name, namespace, labels: labels(identity) }, automountServiceAccountToken: false },
    opts,
  );
  return new k8s.apiextensions.CustomResource(
    child("server"),
    {
      apiVersion: MONITORING_API,
      kind: "Alertmanager",
      metadata: { name: identity.name, namespace, labels: labels(identity), annotations: WAIT_FOR_AVAILABLE },
      spec: {
        replicas: 1,
        image,
        version: VERSION,
        podMetadata: { labels: { ...selector(identity), [ENVIRONMENT_LABEL]: environment } },
        serviceAccountName: account.metadata.name,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: podSecurity(),
        resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "500m", memory: "96Mi" } },
        configSecret: config.metadata.name,
        retention: "120h",
        // Silences outlive the pod.
        storage: { volumeClaimTemplate: { spec: { resources: { requests: { storage: "128Mi" } } } } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
      },
    },
    { ...opts, ...WORKLOAD_TIMEOUT },
  );
}
