import { setTimeout as sleep } from "node:timers/promises";
import type { Stand } from "../../checks/stand";
import { type Secret, decodedData } from "../../checks/vault";

interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName: string; readonly items?: readonly { readonly path: string }[] };
}

interface Container {
  readonly name: string;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly envFrom?: readonly { readonly secretRef?: { readonly name: string } }[];
}

export interface Pod {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly Container[]; readonly volumes?: readonly Volume[] };
  readonly status: { readonly phase: string };
}

/** An ExternalSecret, and the Secret that it makes. */
export interface Sync {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly target: { readonly name: string };
    readonly data?: readonly { readonly remoteRef: { readonly key: string } }[];
  };
}

/** A kubelet that is not woken looks at its Secrets within a minute and a half. */
const KUBELET_MS = 100_000;
const SOON_MS = 60_000;

export const podsOf = (stand: Stand, namespace: string, selector?: string): Promise<Pod[]> =>
  stand.objects<Pod>("pods", namespace, [
    "--field-selector=status.phase=Running",
    ...(selector ? ["-l", selector] : []),
  ]);

/** Whatever brings a path of Vault to a namespace of the stack. */
export const syncsOf = async (stand: Stand, path: string): Promise<Sync[]> =>
  (await stand.own<Sync>("externalsecrets.external-secrets.io")).filter(({ spec }) =>
    spec.data?.some(({ remoteRef }) => remoteRef.key === path),
  );

/** Has External Secrets ask Vault now, and waits until the Secret has the value. */
export async function bring(stand: Stand, { metadata, spec }: Sync, value: string): Promise<void> {
  const { namespace } = metadata;
  const now = `force-sync=${Date.now()}`;
  await stand.kubectl(["annotate", "externalsecret", metadata.name, "-n", namespace, now, "--overwrite"]);
  await until(`the Secret ${namespace}/${spec.target.name} has the new value`, SOON_MS, async () => {
    const text = await stand.kubectl(["get", "secret", spec.target.name, "-n", namespace, "-o", "json"]);
    return Object.values(decodedData(JSON.parse(text) as Secret)).some((each) => each.includes(value));
  });
}

/** Files of a Secret in a pod, as one of its containers finds them. */
interface Holder {
  readonly pod: Pod;
  readonly container: string;
  readonly file: string;
}

export interface Readers {
  readonly holders: readonly Holder[];
  /** Who was told by its environment, and is told nothing else while it runs. */
  readonly deaf: readonly Pod[];
}

export async function readersOf(stand: Stand, syncs: readonly Sync[]): Promise<Readers> {
  const holders: Holder[] = [];
  const deaf: Pod[] = [];
  for (const { metadata, spec } of syncs)
    for (const pod of await podsOf(stand, metadata.namespace)) {
      const volume = pod.spec.volumes?.find(({ secret }) => secret?.secretName === spec.target.name);
      const container = pod.spec.containers.find(({ volumeMounts }) =>
        volumeMounts?.some(({ name }) => name === volume?.name),
      );
      const mount = container?.volumeMounts?.find(({ name }) => name === volume?.name);
      const [item] = volume?.secret?.items ?? [];
      if (container && mount && item)
        holders.push({ pod, container: container.name, file: `${mount.mountPath}/${item.path}` });
      else if (
        pod.spec.containers.some(({ envFrom }) =>
          envFrom?.some(({ secretRef }) => secretRef?.name === spec.target.name),
        )
      )
        deaf.push(pod);
    }
  return { holders, deaf };
}

/** Has the kubelets look at their pods now: they do when a pod is changed, be it by a note. */
export async function wake(stand: Stand, pods: readonly Pod[]): Promise<void> {
  for (const { metadata } of pods)
    await stand.kubectl([
      ...["annotate", "pod", metadata.name, "-n", metadata.namespace],
      ...[`platform/rotated=${Date.now()}`, "--overwrite"],
    ]);
}

/** Whether the file has the value; where the image has nothing to read it with, once any kubelet has looked. */
export async function holds(
  stand: Stand,
  { pod, container, file }: Holder,
  value: string,
  since: number,
): Promise<boolean> {
  const { name, namespace } = pod.metadata;
  const { code, out } = await stand.tryKubectl(["exec", "-n", namespace, name, "-c", container, "--", "cat", file]);
  if (code === 0) return out.trim() === value;
  return Date.now() - since > KUBELET_MS;
}

export async function until(what: string, withinMs: number, look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + withinMs; !(await look()); await sleep(1000))
    if (Date.now() > end)
      throw new Error(`not within ${withinMs / 1000} s: ${what}. Run it again: it goes on from here`);
}
