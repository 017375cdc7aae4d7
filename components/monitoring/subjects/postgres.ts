import type { Peer } from "../../lib/network";
import type { Rule } from "../rule";
import type { Watched } from "../watch";

/** Of what was written; a copy that lags further is no good as a successor for a while. */
const BEHIND = 64 * 2 ** 20;

const rules: readonly Rule[] = [
  {
    alert: "PostgresDown",
    // Without any pod there is no exporter either that could say so.
    expr: 'pg_up{job="postgres"} == 0 or absent(pg_up{job="postgres"})',
    for: "30s",
    severity: "critical",
    summary: '{{ or $labels.pod "postgres" }} does not answer its exporter, or is not there',
  },
  {
    alert: "PostgresConnectionsNearLimit",
    expr: 'pg_role_connections{job="postgres"} / pg_role_connection_limit{job="postgres"} > 0.8',
    for: "2m",
    severity: "warning",
    summary: "{{ $labels.role }} has taken more than four fifths of its connections to {{ $labels.pod }}",
  },
];

const copies = (replicas: number): Rule => ({
  alert: "PostgresCopyMissing",
  expr: `(count(pg_copy_behind_bytes{job="postgres"} < ${BEHIND}) or vector(0)) < ${replicas}`,
  for: "2m",
  severity: "warning",
  summary: `{{ $value }} of ${replicas} copies of Postgres follow closely`,
});

export interface PostgresMetrics {
  readonly peer: Peer;
  readonly port: number;
  /** How many copies there should be. */
  readonly replicas: number;
}

/** The servers of a Postgres, by the exporter beside each. */
export const postgresWatched = ({ peer, port, replicas }: PostgresMetrics): Watched => ({
  peer,
  port,
  rules: [...rules, ...(replicas > 0 ? [copies(replicas)] : [])],
});
