import type { Rule } from "../rule";

/** What is asked the way its users ask it. */
export const endpointRules: readonly Rule[] = [
  {
    alert: "EndpointDown",
    expr: "probe_success == 0",
    for: "30s",
    severity: "critical",
    summary: "{{ $labels.app }} does not answer at {{ $labels.instance }}",
  },
];
