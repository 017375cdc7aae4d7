import type * as pulumi from "@pulumi/pulumi";
import type { WantedServices } from "../lib/cluster";
import { type Target, images } from "../lib/target";

/** The names of the images in the lock, by what they are here. */
const SERVICES = {
  certManager: "cert-manager-controller",
  externalSecrets: "external-secrets",
} as const;
const MONITORING = {
  prometheusOperator: "prometheus-operator",
  configReloader: "prometheus-config-reloader",
  kubeStateMetrics: "kube-state-metrics",
  nodeExporter: "node-exporter",
} as const;

type Images<T> = Readonly<Record<keyof T, pulumi.Input<string>>>;
export type MonitoringImages = Images<typeof MONITORING>;

export interface ServiceImages {
  /** By digest, from the image lock. */
  readonly images: Images<typeof SERVICES>;
  /** Adds what every environment's monitoring needs. @default none */
  readonly monitoring?: { readonly images: MonitoringImages };
}

export const serviceImages = (target: Target, { monitoring }: WantedServices): ServiceImages => ({
  images: images(target, SERVICES),
  ...(monitoring ? { monitoring: { images: images(target, MONITORING) } } : {}),
});
