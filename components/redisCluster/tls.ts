import type * as pulumi from "@pulumi/pulumi";

export interface RedisTls {
  /** A Secret of the namespace with tls.crt, tls.key and ca.crt, for the names of `redisDnsNames`. */
  readonly secretName: pulumi.Input<string>;
  /** PEM of the authority, for clients that do not trust it anyway. It is no secret. */
  readonly ca?: pulumi.Input<string>;
}

export const nodesService = (name: string): string => `${name}-nodes`;

/** The names that the certificate of a Redis must hold, whatever its mode and size. */
export function redisDnsNames(name: string, namespace: string): string[] {
  const service = `${name}.${namespace}`;
  const pods = `*.${nodesService(name)}.${namespace}.svc.cluster.local`;
  return [name, service, `${service}.svc`, `${service}.svc.cluster.local`, pods, "localhost"];
}
