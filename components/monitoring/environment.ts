import type * as pulumi from "@pulumi/pulumi";
import type { AppWorkload } from "../appWorkload";
import { MONITORING_SERVICE_IMAGES } from "../clusterServices";
import type { Edge } from "../edge";
import type { Environment } from "../environment";
import type { WatchingConcern } from "../lib/concerns";
import type { MonitoringConfig } from "../lib/config";
import { type Target, images, optionalImage } from "../lib/target";
import type { Registry } from "../registry";
import type { SecretsPlatform } from "../secretsPlatform";
import { MONITORING_IMAGES, Monitoring, type MonitoringArgs } from ".";
import { Grafana } from "./grafana";
import { prometheusUrl } from "./prometheus";
import { vaultWatched } from "./subjects/vault";
import type { Watched } from "./watch";

/** What a stack has of monitoring, by its configuration and what its target offers. */
export interface Wanted {
  readonly monitoring: boolean;
  /** The namespaces that it takes. */
  readonly concerns: readonly WatchingConcern[];
  readonly images?: MonitoringArgs["images"];
  /** There where there shall be dashboards. */
  readonly grafanaImage?: string;
  /** Of what the cluster has once. */
  readonly services?: { readonly images: Record<keyof typeof MONITORING_SERVICE_IMAGES, string> };
}

export function wantedMonitoring(target: Target, { enabled, grafana }: MonitoringConfig): Wanted {
  if (!enabled) return { monitoring: false, concerns: [] };
  const grafanaImage = optionalImage(target, "grafana", { key: "platform:monitoring.grafana", wanted: grafana });
  return {
    monitoring: true,
    concerns: grafanaImage ? ["monitoring", "dashboards"] : ["monitoring"],
    images: images(target, MONITORING_IMAGES),
    grafanaImage,
    services: { images: images(target, MONITORING_SERVICE_IMAGES) },
  };
}

/** For those who judge a version by the requests at the edge: that they are counted, and where. */
export const countedAt = (
  stack: string,
  { monitoring }: Wanted,
  apps: Readonly<Record<string, { readonly strategy?: object }>>,
): { readonly counted: boolean; readonly prometheus?: string } =>
  monitoring && Object.values(apps).some(({ strategy }) => strategy)
    ? { counted: true, prometheus: prometheusUrl(`${stack}-monitoring`) }
    : { counted: false };

/** What there is to watch. */
export interface Watching extends Omit<MonitoringArgs, "namespace" | "namespaces" | "images"> {
  readonly home: Environment;
  /** The platform's authority, PEM. */
  readonly authority: pulumi.Input<string>;
  readonly secrets: SecretsPlatform;
  readonly registry: Registry;
  readonly stores: Readonly<Record<string, Watched>>;
  readonly edge: Edge;
  readonly workloads: Readonly<Record<string, AppWorkload>>;
}

/** Who watches, and where their dashboards are. */
export interface Watch {
  readonly watchers: readonly pulumi.Resource[];
  readonly dashboards?: string;
}

/** Has all of an environment watched. */
export function createMonitoring(
  { images: own, grafanaImage }: Wanted,
  args: Watching,
  opts: pulumi.ComponentResourceOptions,
): Watch {
  if (!own) return { watchers: [] };
  const { environment, home, secrets, edge } = args;
  const place = { namespace: home.namespace("monitoring"), namespaces: home.names };
  const monitoring = new Monitoring("monitoring", { ...args, ...place, images: own }, opts);
  monitoring.watch("vault", vaultWatched(secrets.peer, home.namespace("secrets"), args.authority));
  monitoring.watch("registry", args.registry.metrics);
  for (const [name, store] of Object.entries(args.stores)) monitoring.watch(name, store);
  if (edge.metrics) monitoring.watch("edge", edge.metrics);
  for (const [name, { readiness, metrics, switching }] of Object.entries(args.workloads)) {
    monitoring.probe(name, readiness);
    if (switching) monitoring.answer(switching);
    if (metrics) monitoring.watch(`app-${name}`, metrics);
  }
  if (!grafanaImage) return { watchers: [monitoring] };
  const shown = { environment, namespace: home.namespace("dashboards"), image: grafanaImage, monitoring };
  const grafana = new Grafana("grafana", { ...shown, edge, secrets }, opts);
  return { watchers: [monitoring, grafana], dashboards: grafana.url };
}
