import type { Dashboard } from "./dashboard";

/** Once it knows its cluster, a server says the same again with that label: the first value stays beside it. */
const perServer = (metric: string): string => `max without (cluster) (${metric})`;

/** The servers of Vault, and whether secrets follow it. */
export const vault: Dashboard = {
  uid: "vault",
  title: "Vault",
  panels: [
    { title: "Unsealed", shows: "now", least: 1, queries: { "{{pod}}": perServer("vault_core_unsealed") } },
    { title: "Leads", shows: "now", queries: { "{{pod}}": perServer("vault_core_active") } },
    {
      title: "Secrets that follow it",
      shows: "now",
      queries: { secrets: 'count(externalsecret_status_condition{condition="Ready",status="True"} == 1)' },
    },
    {
      title: "Secrets that do not",
      shows: "now",
      tooMuch: 1,
      queries: {
        secrets: 'count(externalsecret_status_condition{condition="Ready",status="False"} == 1) or vector(0)',
      },
    },
    {
      title: "Requests",
      shows: "course",
      unit: "reqps",
      queries: { "{{pod}}": "sum by (pod) (rate(vault_core_handle_request_count[$__rate_interval]))" },
    },
    {
      title: "Time for a request, on average",
      shows: "course",
      unit: "ms",
      queries: {
        "{{pod}}":
          "sum by (pod) (rate(vault_core_handle_request_sum[$__rate_interval])) /" +
          " (sum by (pod) (rate(vault_core_handle_request_count[$__rate_interval])) > 0)",
      },
    },
    { title: "Leases", shows: "course", queries: { "{{pod}}": perServer("vault_expire_num_leases") } },
    {
      title: "Memory",
      shows: "course",
      unit: "bytes",
      queries: { "{{pod}}": perServer("vault_runtime_alloc_bytes") },
    },
  ],
};
