import type * as pulumi from "@pulumi/pulumi";
import type { Peer } from "../../lib/network";
import { VAULT_PORT, serviceHost } from "../../secretsPlatform/settings";
import type { Rule } from "../rule";
import type { Watched } from "../watch";

const vaultRules: readonly Rule[] = [
  {
    alert: "VaultSealed",
    // A server that never was unsealed since it started may not know the metric yet. Once it knows its cluster it says it anew
    // with that label, and goes on saying the old value beside it.
    expr: 'max without (cluster) (vault_core_unsealed) == 0 or (up{job="vault"} == 1 unless on (instance) vault_core_unsealed)',
    for: "30s",
    severity: "critical",
    summary: "{{ $labels.pod }} is sealed",
  },
];

/** The servers of a Vault, asked over TLS. */
export const vaultWatched = (
  peer: Peer,
  namespace: pulumi.Output<string>,
  authority: pulumi.Input<string>,
): Watched => ({
  peer,
  port: VAULT_PORT,
  path: "/v1/sys/metrics",
  query: { format: ["prometheus"] },
  tls: { authority, serverName: namespace.apply(serviceHost) },
  rules: vaultRules,
});
