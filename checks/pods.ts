import { Skip, some } from "./check";
import type { Stand } from "./stand";

/** Marks the pods that checks make, with the run that made them. */
export const MARK = "platform/check";

export interface ContainerStatus {
  readonly name: string;
  readonly imageID: string;
  readonly restartCount: number;
  readonly state: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
  readonly lastState: {
    readonly terminated?: { readonly finishedAt: string; readonly reason?: string; readonly exitCode: number };
  };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly ports?: readonly { readonly containerPort: number; readonly protocol?: string }[];
}

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export const nameOf = ({ metadata }: { readonly metadata: { namespace: string; name: string } }): string =>
  `${metadata.namespace}/${metadata.name}`;

/** Jobs leave pods that have done their work. */
export const isDone = ({ status }: Pod): boolean => status.phase === "Succeeded";

export const isReady = ({ status }: Pod): boolean =>
  (status.conditions ?? []).some(({ type, status: is }) => type === "Ready" && is === "True");

export const isServing = (pod: Pod): boolean => isReady(pod) && Boolean(pod.status.podIP);

/** The labels of every namespace of the cluster. */
export const labelsOfNamespaces = (stand: Stand): Promise<Map<string, Readonly<Record<string, string>>>> =>
  stand.once("namespaces", async () => {
    const { items } = JSON.parse(await stand.kubectl(["get", "namespaces", "-o", "json"])) as {
      items: { metadata: { name: string; labels?: Record<string, string> } }[];
    };
    return new Map(items.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  });

/** Without those of checks. */
export const podsOf = (stand: Stand, namespace: string): Promise<Pod[]> =>
  stand.objects<Pod>("pods", namespace, ["-l", `!${MARK}`]);

/** The pods of all namespaces of the environment. */
export async function ownPods(stand: Stand): Promise<readonly Pod[]> {
  const { namespaces } = await stand.outputs();
  const pods = await Promise.all(Object.values(namespaces).map((namespace) => podsOf(stand, namespace)));
  return some("pod", pods.flat());
}

/** The ready servers of a store, by their labels. */
export async function serversOf(
  stand: Stand,
  store: string,
  labels: Readonly<Record<string, string>>,
): Promise<readonly Pod[]> {
  const namespace = (await stand.outputs()).namespaces.data;
  if (!namespace) throw new Skip("the stack has no data namespace");
  const isServer = ({ metadata }: Pod): boolean =>
    Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);
  return some(
    `server of ${store}`,
    (await podsOf(stand, namespace)).filter((pod) => isServer(pod) && isReady(pod)),
  );
}
