import type { RedisEntry } from "../../redisCluster";
import type { Rule } from "../rule";
import type { Watched } from "../watch";

export const redisRules: readonly Rule[] = [
  {
    alert: "RedisDown",
    // Without any pod there is no exporter either that could say so.
    expr: 'redis_up{job="redis"} == 0 or absent(redis_up{job="redis"})',
    for: "30s",
    severity: "critical",
    summary: '{{ or $labels.pod "redis" }} does not answer its exporter, or is not there',
  },
];

/** The servers of a Redis, in whatever mode, by the exporter beside each. */
export const redisWatched = (metrics: RedisEntry): Watched => ({ ...metrics, rules: redisRules });
