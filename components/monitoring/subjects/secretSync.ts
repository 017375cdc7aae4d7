import type { Rule } from "../rule";

/** What External Secrets says of the environment's secrets. */
export const secretSyncRules: readonly Rule[] = [
  {
    alert: "SecretSyncFailing",
    expr: 'externalsecret_status_condition{condition="Ready",status="False"} == 1',
    for: "30s",
    severity: "critical",
    summary: "Secret {{ $labels.namespace }}/{{ $labels.name }} no longer follows Vault",
  },
];
