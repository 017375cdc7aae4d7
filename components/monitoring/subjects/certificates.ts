import type { Rule } from "../rule";

const DAY = 24 * 60 * 60;

/** The environment's certificates, as cert-manager tells them. They are renewed 30 days before they end. */
export const certificateRules: readonly Rule[] = [
  {
    alert: "CertificateExpiringSoon",
    expr: `certmanager_certificate_expiration_timestamp_seconds - time() < ${21 * DAY}`,
    for: "1m",
    severity: "critical",
    summary: "Certificate {{ $labels.namespace }}/{{ $labels.name }} ends within three weeks and was not renewed",
  },
  {
    alert: "CertificateNotReady",
    expr: 'certmanager_certificate_ready_status{condition!="True"} == 1',
    for: "1m",
    severity: "warning",
    summary: "Certificate {{ $labels.namespace }}/{{ $labels.name }} is not ready",
  },
];
