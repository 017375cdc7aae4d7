import type { Rule } from "../rule";

/** Who watches: an alert that always fires, so that its silence is heard, and what keeps others from being heard. */
export const selfRules: readonly Rule[] = [
  {
    alert: "Watchdog",
    expr: "vector(1)",
    severity: "none",
    summary: "Always fires. When it stops arriving, alerts no longer get through",
  },
  {
    alert: "RuleEvaluationFailing",
    expr: "increase(prometheus_rule_evaluation_failures_total[3m]) > 0",
    severity: "critical",
    summary: "Prometheus cannot evaluate rules of {{ $labels.rule_group }}",
  },
  {
    alert: "ConfigReloadFailing",
    expr: "prometheus_config_last_reload_successful == 0 or alertmanager_config_last_reload_successful == 0",
    for: "1m",
    severity: "critical",
    summary: "{{ $labels.job }} runs with an old configuration, as it cannot read the new one",
  },
  {
    alert: "NotificationsFailing",
    expr:
      "increase(prometheus_notifications_errors_total[3m]) > 0" +
      " or increase(alertmanager_notifications_failed_total[3m]) > 0",
    for: "30s",
    severity: "critical",
    summary: "{{ $labels.job }} cannot hand its alerts on",
  },
  {
    alert: "SamplesRefused",
    expr: "increase(prometheus_target_scrapes_exceeded_sample_limit_total[3m]) > 0",
    severity: "warning",
    summary: "A target tells more samples than one target may",
  },
];
