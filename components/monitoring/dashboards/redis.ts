import type { Dashboard } from "./dashboard";

/** The servers of a Redis in whatever mode, each by its pod. */
export const redis: Dashboard = {
  uid: "redis",
  title: "Redis",
  panels: [
    { title: "Servers that answer", shows: "now", least: 1, queries: { "{{pod}}": 'redis_up{job="redis"}' } },
    {
      title: "Replicas of each master",
      shows: "now",
      queries: { "{{pod}}": "redis_connected_slaves > 0" },
    },
    {
      title: "Replicas cut off from their master",
      shows: "now",
      tooMuch: 1,
      queries: { replicas: "count(redis_master_link_up == 0) or vector(0)" },
    },
    {
      title: "Keys",
      shows: "now",
      queries: { "{{pod}}": "sum by (pod) (redis_db_keys)" },
    },
    {
      title: "Commands",
      shows: "course",
      unit: "ops",
      queries: { "{{pod}}": "rate(redis_commands_processed_total[$__rate_interval])" },
    },
    { title: "Clients", shows: "course", queries: { "{{pod}}": "redis_connected_clients" } },
    {
      title: "Memory",
      shows: "course",
      unit: "bytes",
      queries: { "{{pod}}": "redis_memory_used_bytes", "{{pod}}, at most": "redis_memory_max_bytes > 0" },
    },
    {
      title: "Found of what was asked for",
      shows: "course",
      unit: "percentunit",
      queries: {
        "{{pod}}":
          "rate(redis_keyspace_hits_total[$__rate_interval]) /" +
          " (rate(redis_keyspace_hits_total[$__rate_interval]) + rate(redis_keyspace_misses_total[$__rate_interval]) > 0)",
      },
    },
    {
      title: "Keys that ran out, and that had to go",
      shows: "course",
      unit: "ops",
      queries: {
        "{{pod}}, ran out": "rate(redis_expired_keys_total[$__rate_interval])",
        "{{pod}}, had to go": "rate(redis_evicted_keys_total[$__rate_interval])",
      },
    },
    {
      title: "Network",
      shows: "course",
      unit: "Bps",
      queries: {
        "{{pod}}, in": "rate(redis_net_input_bytes_total[$__rate_interval])",
        "{{pod}}, out": "rate(redis_net_output_bytes_total[$__rate_interval])",
      },
    },
  ],
};
