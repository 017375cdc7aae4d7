import type { Dashboard } from "./dashboard";

/** Beside those for browsers there are one for probes and one for these metrics. */
const ENTRY = 'entrypoint=~"https?"';

/** What browsers ask of the environment's edge, and what they get. */
export const edge: Dashboard = {
  uid: "edge",
  title: "Edge",
  panels: [
    { title: "Servers that answer", shows: "now", least: 1, queries: { "{{pod}}": 'up{job="edge"}' } },
    {
      title: "Connections",
      shows: "now",
      queries: { "{{entrypoint}}": `sum by (entrypoint) (traefik_open_connections{${ENTRY}})` },
    },
    {
      title: "Requests",
      shows: "course",
      unit: "reqps",
      queries: {
        "{{entrypoint}} {{code}}": `sum by (entrypoint, code) (rate(traefik_entrypoint_requests_total{${ENTRY}}[$__rate_interval]))`,
      },
    },
    {
      title: "Time for an answer, for 95 of 100",
      shows: "course",
      unit: "s",
      queries: {
        "{{entrypoint}}": `histogram_quantile(0.95, sum by (entrypoint, le) (rate(traefik_entrypoint_request_duration_seconds_bucket{${ENTRY}}[$__rate_interval])))`,
      },
    },
    {
      title: "Requests by application",
      shows: "course",
      unit: "reqps",
      queries: { "{{service}}": "sum by (service) (rate(traefik_service_requests_total[$__rate_interval]))" },
    },
    {
      title: "Faults of applications",
      shows: "course",
      unit: "reqps",
      queries: {
        "{{service}} {{code}}":
          'sum by (service, code) (rate(traefik_service_requests_total{code=~"5.."}[$__rate_interval]))',
      },
    },
    {
      title: "Memory",
      shows: "course",
      unit: "bytes",
      queries: { "{{pod}}": 'process_resident_memory_bytes{job="edge"}' },
    },
    {
      title: "Its certificate ends in",
      shows: "course",
      unit: "s",
      queries: {
        "{{name}}": 'certmanager_certificate_expiration_timestamp_seconds{namespace=~".+-edge"} - time()',
      },
    },
  ],
};
