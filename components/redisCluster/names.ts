export const nodesService = (name: string): string => `${name}-nodes`;

/** The names that the certificate of a Redis must hold, whatever its mode and size. */
export function redisDnsNames(name: string, namespace: string): string[] {
  const service = `${name}.${namespace}`;
  const pods = `*.${nodesService(name)}.${namespace}.svc.cluster.local`;
  return [name, service, `${service}.svc`, `${service}.svc.cluster.local`, pods, "localhost"];
}
