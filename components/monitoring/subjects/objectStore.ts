import type { Peer } from "../../lib/network";
import { METRICS_PATH } from "../../objectStore/settings";
import type { Rule } from "../rule";
import type { Watched } from "../watch";

const JOB = 'job="object-store"';

const rules: readonly Rule[] = [
  {
    alert: "ObjectStoreAlmostFull",
    expr:
      `min(minio_cluster_health_capacity_usable_free_bytes{${JOB}})` +
      ` / min(minio_cluster_health_capacity_usable_total_bytes{${JOB}}) < 0.1`,
    for: "5m",
    severity: "warning",
    summary: "less than a tenth of the object store is free",
  },
  {
    alert: "ObjectStoreFailing",
    expr:
      `sum(rate(minio_api_requests_5xx_errors_total{${JOB}}[2m]))` +
      ` / sum(rate(minio_api_requests_total{${JOB}}[2m])) > 0.05`,
    for: "2m",
    severity: "critical",
    summary: "the object store fails to answer more than one request in twenty",
  },
];

const drives = (servers: number): Rule => ({
  alert: "ObjectStoreDriveMissing",
  // By the one that sees fewest; without any server nobody tells of a drive.
  expr: `(min(minio_cluster_health_drives_online_count{${JOB}}) or vector(0)) < ${servers}`,
  for: "1m",
  severity: "critical",
  summary: `{{ $value }} of ${servers} drives of the object store are there`,
});

export interface StoreMetrics {
  readonly peer: Peer;
  readonly port: number;
  /** How many there should be, with a drive each. */
  readonly servers: number;
}

/** The servers of an object store, by what each tells itself. */
export const objectStoreWatched = ({ peer, port, servers }: StoreMetrics): Watched => ({
  peer,
  port,
  path: METRICS_PATH,
  rules: [...rules, drives(servers)],
});
