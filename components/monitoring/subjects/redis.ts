import type { Rule } from "../rule";

/** By the exporter where there is one, by the readiness of the servers in any case. */
export const redisRules: readonly Rule[] = [
  {
    alert: "RedisDown",
    expr: 'redis_up == 0 or kube_statefulset_status_replicas_ready{namespace=~".+-data",statefulset=~"redis.*"} == 0',
    for: "30s",
    severity: "critical",
    summary: "No Redis server of {{ $labels.namespace }} answers",
  },
];
