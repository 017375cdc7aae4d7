import type { Dashboard } from "./dashboard";

/** The machines under all environments of the cluster. */
export const nodes: Dashboard = {
  uid: "nodes",
  title: "Nodes",
  panels: [
    {
      title: "Ready",
      shows: "now",
      least: 1,
      queries: { "{{node}}": 'kube_node_status_condition{condition="Ready",status="true"}' },
    },
    {
      title: "Short of memory, disk or processes",
      shows: "now",
      tooMuch: 1,
      queries: { nodes: 'sum(kube_node_status_condition{condition=~".+Pressure",status="true"})' },
    },
    {
      title: "Processors in use",
      shows: "course",
      unit: "percentunit",
      queries: {
        "{{instance}}": '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))',
      },
    },
    { title: "Load", shows: "course", queries: { "{{instance}}": "node_load1" } },
    {
      title: "Memory left",
      shows: "course",
      unit: "percentunit",
      queries: { "{{instance}}": "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes" },
    },
    {
      title: "Share of time that something waited",
      shows: "course",
      unit: "percentunit",
      queries: {
        "{{instance}}, for a processor": "rate(node_pressure_cpu_waiting_seconds_total[$__rate_interval])",
        "{{instance}}, for memory": "rate(node_pressure_memory_waiting_seconds_total[$__rate_interval])",
        "{{instance}}, for a disk": "rate(node_pressure_io_waiting_seconds_total[$__rate_interval])",
      },
    },
  ],
};
