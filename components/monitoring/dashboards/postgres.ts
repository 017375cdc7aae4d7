import type { Dashboard } from "./dashboard";

/** The servers of a Postgres, and the databases in it. Of the platform's own databases nothing is shown. */
const DATABASES = '{datname!~"postgres|template.|"}';

export const postgres: Dashboard = {
  uid: "postgres",
  title: "Postgres",
  panels: [
    { title: "Servers that answer", shows: "now", least: 1, queries: { "{{pod}}": 'pg_up{job="postgres"}' } },
    {
      title: "Copies that follow",
      shows: "now",
      queries: { copies: "count(pg_copy_behind_bytes) or vector(0)" },
    },
    {
      title: "Connections taken of those allowed",
      shows: "now",
      unit: "percentunit",
      tooMuch: 0.8,
      queries: { "{{role}}": "max by (role) (pg_role_connections / pg_role_connection_limit)" },
    },
    {
      title: "Size",
      shows: "now",
      unit: "bytes",
      queries: { "{{datname}}": `max by (datname) (pg_database_size_bytes${DATABASES})` },
    },
    {
      title: "Transactions",
      shows: "course",
      unit: "ops",
      queries: {
        "{{datname}}, done": `sum by (datname) (rate(pg_stat_database_xact_commit${DATABASES}[$__rate_interval]))`,
        "{{datname}}, given up": `sum by (datname) (rate(pg_stat_database_xact_rollback${DATABASES}[$__rate_interval]))`,
      },
    },
    { title: "Connections", shows: "course", queries: { "{{role}}": "sum by (role) (pg_role_connections)" } },
    {
      title: "How far copies are behind",
      shows: "course",
      unit: "bytes",
      queries: { "{{copy}}": "pg_copy_behind_bytes" },
    },
    {
      title: "Found in memory of what was read",
      shows: "course",
      unit: "percentunit",
      queries: {
        "{{pod}}":
          "sum by (pod) (rate(pg_stat_database_blks_hit[$__rate_interval])) /" +
          " (sum by (pod) (rate(pg_stat_database_blks_hit[$__rate_interval])) + sum by (pod) (rate(pg_stat_database_blks_read[$__rate_interval])) > 0)",
      },
    },
    {
      title: "Deadlocks",
      shows: "course",
      unit: "ops",
      queries: { "{{datname}}": `sum by (datname) (rate(pg_stat_database_deadlocks${DATABASES}[$__rate_interval]))` },
    },
  ],
};
