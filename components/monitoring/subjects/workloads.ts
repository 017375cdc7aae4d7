import type { Rule } from "../rule";

/** What holds for every pod of the environment, as kube-state-metrics tells it. */
export const workloadRules: readonly Rule[] = [
  {
    alert: "PodCrashLooping",
    expr: 'max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[3m]) >= 1',
    for: "15s",
    severity: "critical",
    summary: "{{ $labels.namespace }}/{{ $labels.pod }}: container {{ $labels.container }} ends again and again",
  },
  {
    alert: "PodNotReady",
    expr:
      'max by (namespace, pod) (kube_pod_status_ready{condition=~"false|unknown"}) == 1' +
      // What has ended is replaced by whoever owns it, or was a job's.
      ' unless on (namespace, pod) kube_pod_status_phase{phase=~"Succeeded|Failed"} == 1',
    for: "1m",
    severity: "warning",
    summary: "{{ $labels.namespace }}/{{ $labels.pod }} is not ready",
  },
  {
    alert: "ReplicasMissing",
    expr:
      "kube_deployment_status_replicas_available < kube_deployment_spec_replicas" +
      " or kube_statefulset_status_replicas_ready < kube_statefulset_replicas",
    for: "1m",
    severity: "warning",
    summary:
      "{{ $labels.namespace }}/{{ $labels.deployment }}{{ $labels.statefulset }} has fewer replicas than it should",
  },
  {
    alert: "QuotaAlmostUsed",
    expr:
      'kube_resourcequota{type="used"} / on (namespace, resourcequota, resource)' +
      ' (kube_resourcequota{type="hard"} > 0) > 0.9',
    for: "5m",
    severity: "warning",
    summary: "{{ $labels.namespace }} has used over nine tenths of its {{ $labels.resource }}",
  },
];
