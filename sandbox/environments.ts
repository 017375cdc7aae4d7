/** The environments, from the first; each may look up what the ones before it recorded. */
export const ENVIRONMENTS = ["dev", "qa", "prod"] as const;

/** The name under which a cluster's nodes pull from an environment's registry. */
export const registryHost = (environment: string): string => `registry.${environment}-registry.svc.cluster.local`;
