/** Deployments with their ReplicaSets and pods, and what switches wrote down, as the API server lists them. */
export interface Seen {
  readonly items: readonly Item[];
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: State;
  readonly lastState?: State;
}

interface State {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
}

interface Item {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
    readonly deletionTimestamp?: string;
  };
  /** Of a ConfigMap. */
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } };
  };
  readonly status?: {
    readonly readyReplicas?: number;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** The newest revision of an application whose pods are not all ready. */
export interface Rollout {
  readonly app: string;
  readonly namespace: string;
  /** Of which Deployment, and its how manieth. */
  readonly revision: string;
  readonly image: string;
  readonly cause: string;
  /** It will not get ready by itself. */
  readonly isSure: boolean;
  /** The cluster has given it up. */
  readonly isLate: boolean;
  readonly pod?: string;
  readonly container?: string;
  readonly hasCrashed: boolean;
}

interface Cause {
  readonly cause: string;
  readonly isSure: boolean;
  readonly pod?: string;
  readonly container?: string;
  readonly hasCrashed?: boolean;
}

const REVISION = "deployment.kubernetes.io/revision";
/** By then a container that can be ready is. */
const PATIENCE_MS = 60_000;
const IMAGE = ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"];
const CONFIGURATION = ["CreateContainerConfigError", "CreateContainerError", "RunContainerError"];

/** Another one for each change of its pods, and where it was made anew. */
export const revisionOf = ({ metadata: { name, uid, annotations } }: Item): string =>
  `${uid ?? name} ${annotations?.[REVISION] ?? ""}`;

export function rolloutsIn({ items }: Seen, now: Date): Rollout[] {
  const ownedBy = (kind: string, owner: Item): Item[] =>
    items.filter(
      ({ kind: each, metadata }) =>
        each === kind && metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid),
    );
  return items
    .filter(({ kind }) => kind === "Deployment")
    .flatMap((deployment): Rollout[] => {
      const { name, namespace, labels, annotations } = deployment.metadata;
      const newest = ownedBy("ReplicaSet", deployment).find(
        ({ metadata }) => metadata.annotations?.[REVISION] === annotations?.[REVISION],
      );
      if (!newest) return [];
      const isReady = (newest.status?.readyReplicas ?? 0) >= (deployment.spec?.replicas ?? 1);
      const pods = ownedBy("Pod", newest).filter(({ metadata }) => !metadata.deletionTimestamp);
      const causes = isReady ? [] : [...causesOfSet(newest), ...pods.flatMap((pod) => causesOfPod(pod, now))];
      const [found] = causes.sort((one, other) => Number(other.isSure) - Number(one.isSure));
      const late = deployment.status?.conditions?.find(({ type }) => type === "Progressing");
      return [
        {
          app: labels?.["app.kubernetes.io/name"] ?? name,
          namespace,
          revision: revisionOf(deployment),
          image: newest.spec?.template?.spec?.containers?.[0]?.image ?? "",
          isLate: !isReady && late?.reason === "ProgressDeadlineExceeded",
          hasCrashed: false,
          ...(found ?? { cause: "its pods are not ready", isSure: false }),
        },
      ];
    });
}

/** Pods that may not even be made: a policy, a quota. */
const causesOfSet = ({ status }: Item): Cause[] =>
  (status?.conditions ?? [])
    .filter(({ type, status: holds }) => type === "ReplicaFailure" && holds === "True")
    .map(({ message = "its pods are refused" }) => ({ cause: message, isSure: true }));

function causesOfPod({ metadata: { name: pod }, status }: Item, now: Date): Cause[] {
  const placed = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (placed?.status === "False") return [{ cause: `no node takes it: ${placed.message}`, isSure: false, pod }];
  return (status?.containerStatuses ?? []).flatMap((container) => {
    const found = causeOfContainer(container, now);
    return found ? [{ ...found, pod, container: container.name }] : [];
  });
}

function causeOfContainer(
  { ready, state = {}, lastState = {}, restartCount = 0 }: ContainerStatus,
  now: Date,
): Cause | undefined {
  const { reason = "", message = "" } = state.waiting ?? {};
  if (IMAGE.includes(reason))
    return { cause: `its image cannot be pulled: ${message || reason}`, isSure: reason !== "ErrImagePull" };
  if (CONFIGURATION.includes(reason)) return { cause: `it cannot be started: ${message || reason}`, isSure: true };
  const ended = state.terminated ?? lastState.terminated;
  if (ended && !ready) {
    const why = ended.reason && !["Error", "Completed"].includes(ended.reason) ? `, ${ended.reason}` : "";
    const cause = `it ends with exit code ${ended.exitCode ?? "unknown"}${why}`;
    return { cause, isSure: restartCount >= 2, hasCrashed: true };
  }
  const started = Date.parse(state.running?.startedAt ?? "");
  if (ready || Number.isNaN(started)) return undefined;
  return { cause: "it runs and is not ready", isSure: now.getTime() - started > PATIENCE_MS };
}

/** What a switch has decided against, and keeps until another version serves. */
export interface Verdict {
  readonly app: string;
  readonly image: string;
  readonly reason: string;
  /** Another one for each. */
  readonly mark: string;
}

const RECORD = /^(.+)-release$/;

export const verdictsIn = ({ items }: Seen): Verdict[] =>
  items.flatMap(({ kind, metadata, data }) => {
    const [, app] = RECORD.exec(metadata.name) ?? [];
    if (kind !== "ConfigMap" || !app || !data?.rejected) return [];
    const { image, reason, at } = JSON.parse(data.rejected) as { image: string; reason: string; at: string };
    return [{ app, image, reason, mark: `${app} ${at}` }];
  });

/** What the kubelet heard when it asked, where it says so. */
export function detailOf(
  cause: string,
  events: readonly { readonly reason?: string; readonly message?: string }[],
): string {
  const last = events.filter(({ reason }) => reason === "Unhealthy").at(-1)?.message;
  return last ? `${cause}: ${last}` : cause;
}
