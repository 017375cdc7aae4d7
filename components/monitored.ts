import type * as pulumi from "@pulumi/pulumi";
import type { AppWorkload } from "./appWorkload";
import type { MonitoringConfig } from "./lib/config";
import { MONITORING_IMAGES, Monitoring, type MonitoringArgs } from "./monitoring";
import type { Watched } from "./monitoring/watch";

/** What there is to look at, by name. */
export interface Subjects {
  readonly watched: Readonly<Record<string, Watched>>;
  readonly workloads: Readonly<Record<string, AppWorkload>>;
}

/** The environment's monitoring where it has one, led to all that is there. */
export function createMonitoring(
  { enabled, ...config }: MonitoringConfig,
  args: Pick<MonitoringArgs, "environment" | "namespaces" | "apiServers" | "services"> & {
    readonly imageOf: (name: string) => string;
  },
  { watched, workloads }: Subjects,
  opts: pulumi.ComponentResourceOptions,
): void {
  const namespace = args.namespaces.monitoring;
  if (!enabled || !namespace) return;
  const { prometheus, alertmanager, blackbox } = MONITORING_IMAGES;
  const images = {
    prometheus: args.imageOf(prometheus),
    alertmanager: args.imageOf(alertmanager),
    blackbox: args.imageOf(blackbox),
  };
  const monitoring = new Monitoring("monitoring", { ...args, ...config, namespace, images }, opts);
  for (const [name, each] of Object.entries(watched)) monitoring.watch(name, each);
  for (const [name, { readiness }] of Object.entries(workloads)) monitoring.probe(name, readiness);
}
