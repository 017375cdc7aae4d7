import type { types } from "@pulumi/kubernetes";

type PodSecurityContext = types.input.core.v1.PodSecurityContext;
type SecurityContext = types.input.core.v1.SecurityContext;

/** What every pod of the platform runs as; `user` differs only where an image's files belong to one. */
export const podSecurity = (user = 65532): PodSecurityContext => ({
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: user,
  fsGroup: user,
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: { type: "RuntimeDefault" },
});

export const containerSecurity = (): SecurityContext => ({
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
});

/** Readiness is proven by the workload; the provider's wait for endpoints would only add ten seconds. */
export const SKIP_AWAIT = { "pulumi.com/skipAwait": "true" } as const;

/** A workload that is not ready by then will not be: say so, with the pods' own reasons, rather than wait ten minutes. */
export const WORKLOAD_TIMEOUT = { customTimeouts: { create: "4m", update: "4m", delete: "3m" } } as const;
