import type { Rule } from "../rule";

/** The machines under all environments of the cluster: as the kubelets judge them, and as they say themselves. */
export const nodeRules: readonly Rule[] = [
  {
    alert: "NodeUnhealthy",
    expr:
      'kube_node_status_condition{condition="Ready",status="true"} == 0' +
      ' or kube_node_status_condition{condition=~".+Pressure",status="true"} == 1',
    for: "1m",
    severity: "critical",
    summary: "Node {{ $labels.node }} is not as it should be: {{ $labels.condition }}",
  },
  {
    alert: "NodeMemoryLow",
    expr: "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.05",
    for: "2m",
    severity: "warning",
    summary: "The node of {{ $labels.instance }} has less than a twentieth of its memory left",
  },
];
