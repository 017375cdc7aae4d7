import type { Dashboard } from "./dashboard";

/** The servers of an object store, and what clients ask of it. */
export const objectStore: Dashboard = {
  uid: "objects",
  title: "Object store",
  panels: [
    { title: "Servers that answer", shows: "now", least: 1, queries: { "{{pod}}": 'up{job="object-store"}' } },
    {
      title: "Drives that are there",
      shows: "now",
      queries: { drives: "min(minio_cluster_health_drives_online_count)" },
    },
    {
      title: "Free",
      shows: "now",
      unit: "percentunit",
      least: 0.1,
      queries: {
        free: "min(minio_cluster_health_capacity_usable_free_bytes) / min(minio_cluster_health_capacity_usable_total_bytes)",
      },
    },
    {
      title: "Requests",
      shows: "course",
      unit: "reqps",
      queries: { "{{name}}": "sum by (name) (rate(minio_api_requests_total[$__rate_interval]))" },
    },
    {
      title: "Answered with a fault",
      shows: "course",
      unit: "reqps",
      queries: {
        "of the client": "sum(rate(minio_api_requests_4xx_errors_total[$__rate_interval]))",
        "of the store": "sum(rate(minio_api_requests_5xx_errors_total[$__rate_interval]))",
      },
    },
    {
      title: "Traffic",
      shows: "course",
      unit: "Bps",
      queries: {
        sent: "sum(rate(minio_api_requests_traffic_sent_bytes[$__rate_interval]))",
        received: "sum(rate(minio_api_requests_traffic_received_bytes[$__rate_interval]))",
      },
    },
    {
      title: "Memory",
      shows: "course",
      unit: "bytes",
      queries: { "{{pod}}": 'minio_system_process_resident_memory_bytes{job="object-store"}' },
    },
  ],
};
