/** The Service that gives each pod of a StatefulSet a name. */
export const nodesService = (name: string): string => `${name}-nodes`;

/** The names that the certificate of servers in a StatefulSet must hold, however many they are. */
export function serverDnsNames(name: string, namespace: string): string[] {
  const service = `${name}.${namespace}`;
  const pods = `*.${nodesService(name)}.${namespace}.svc.cluster.local`;
  return [name, service, `${service}.svc`, `${service}.svc.cluster.local`, pods, "localhost"];
}
