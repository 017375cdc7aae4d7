import { deployerToken, readKept } from "../../checks/vault";
import { kubectl, standOf, tryKubectl } from "./world";

export const STACK = "dev";

interface Workload {
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation?: number };
  readonly status: { readonly containerStatuses?: readonly { readonly restartCount: number }[] };
}

/** All that a redeployment or a restart would change, in the namespaces of servers and clients. */
export async function asTheyRun(): Promise<string[]> {
  const lists = await Promise.all(
    [`${STACK}-data`, `${STACK}-apps`].map((namespace) =>
      kubectl(["get", "deployments,statefulsets,pods", "-n", namespace, "-o", "json"]),
    ),
  );
  return lists
    .flatMap((text) => (JSON.parse(text) as { items: Workload[] }).items)
    .map(({ metadata, status }) => {
      const restarts = status.containerStatuses?.map(({ restartCount }) => restartCount).join() ?? "";
      return `${metadata.name} ${metadata.uid} ${metadata.generation ?? ""} ${restarts}`;
    })
    .sort();
}

export async function kept(path: string, property: string): Promise<string> {
  const stand = await standOf(STACK);
  return (await readKept(stand, await deployerToken(stand), path))[property] ?? "";
}

/** What a server says to whoever comes with a password. */
async function door(pod: string, container: string, script: readonly string[], password: string): Promise<string> {
  const command = ["exec", "-i", pod, "-n", `${STACK}-data`, "-c", container, "--", "sh", ...script];
  return (await tryKubectl(command, { input: password })).all.trim();
}

export const DOORS = {
  "redis/app": {
    path: ["redis/app", "app"],
    says: (password: string) =>
      door("redis-0", "redis", ["/etc/redis/passwords.sh", "redis", "accepts", "app"], password),
    load: ["visit-tracker", "/api/visits"],
  },
  "postgres/notes": {
    path: ["postgres/notes", "notes"],
    says: (password: string) =>
      door("postgres-0", "keeper", ["/etc/postgres/keeper.sh", "accepts", "notes", "notes"], password),
    load: ["notes", "/api/notes"],
  },
} as const;
