import { setTimeout as sleep } from "node:timers/promises";
import { image } from "../components/lib/target";
import { MARK, type Pod } from "./pods";
import type { Stand } from "./stand";

export interface PodSettings {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

interface PodManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly spec: {
    readonly [field: string]: unknown;
    readonly containers: [{ volumeMounts: object[]; [field: string]: unknown }];
    readonly volumes: object[];
  };
}

/** A pod that passes the restricted profile, and the rules for what runs once and has no probes. */
export const podManifest = (pod: PodSettings): PodManifest => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: pod.name, namespace: pod.namespace, labels: pod.labels },
  spec: {
    automountServiceAccountToken: false,
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 0,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      fsGroup: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: "main",
        image: pod.image,
        command: pod.command,
        resources: { requests: { cpu: "5m", memory: "16Mi" }, limits: { cpu: "500m", memory: "64Mi" } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
      },
    ],
    volumes: [{ name: "tmp", emptyDir: {} }],
  },
});

/** A pod of a check's own, and what can be connected to from it. */
export interface Probe {
  readonly ip: string;
  /** The node it is on. */
  readonly node: string;
  /** `host:port` of each place that takes a connection within three seconds. */
  readonly open: (places: readonly string[]) => Promise<string[]>;
}

const LIFETIME_S = 300;

/** One word for each place, so that a probe that says nothing about one is no refusal. */
const ATTEMPT = `
attempt() { nc -w 3 "\${1%:*}" "\${1##*:}" -e true </dev/null >/dev/null 2>&1 && echo "open $1" || echo "closed $1"; }
count=0
for place in "$@"; do
  attempt "$place" &
  count=$((count + 1))
  [ $((count % 16)) -ne 0 ] || wait
done
wait`;

/**
 * Lends a pod in one of the environment's namespaces, and takes it away whatever happens. With an application's labels it has
 * the application's rights on the network; it never becomes ready, so that no Service sends it a user.
 */
export async function withProbe<T>(
  stand: Stand,
  place: { readonly role: string; readonly namespace: string; readonly labels?: Readonly<Record<string, string>> },
  use: (probe: Probe) => Promise<T>,
): Promise<T> {
  const { namespace, role } = place;
  const name = `check-${role}-${stand.run}`;
  const pod = podManifest({
    name,
    namespace,
    image: image(stand.target, "busybox"),
    labels: { ...place.labels, [MARK]: stand.run },
    command: ["sleep", String(LIFETIME_S)],
  });
  const closed = { readinessGates: [{ conditionType: MARK }] };
  const manifest = { ...pod, spec: { ...pod.spec, ...closed, activeDeadlineSeconds: LIFETIME_S } };
  try {
    await stand.kubectl(["create", "-f", "-"], { input: JSON.stringify(manifest) });
    await stand.kubectl(["wait", "--for=condition=ContainersReady", `pod/${name}`, "-n", namespace, "--timeout=90s"]);
    const { spec, status } = JSON.parse(
      await stand.kubectl(["get", "pod", name, "-n", namespace, "-o", "json"]),
    ) as Pod;
    const open = (places: readonly string[]): Promise<string[]> => attempts(stand, namespace, name, places);
    return await use({ ip: status.podIP ?? "", node: spec.nodeName ?? "", open });
  } finally {
    await remove(stand, namespace, ["pod", name]);
  }
}

/** Removes what an interrupted run has left, and what earlier ones did. */
export async function sweep(stand: Stand): Promise<void> {
  const { namespaces } = await stand.outputs();
  const removals = Object.values(namespaces).flatMap((namespace) => [
    remove(stand, namespace, ["pods", "-l", `${MARK}=${stand.run}`]),
    remove(stand, namespace, ["pods", "-l", MARK, "--field-selector", "status.phase=Failed"]),
    remove(stand, namespace, ["pods", "-l", MARK, "--field-selector", "status.phase=Succeeded"]),
  ]);
  await Promise.all(removals);
}

const remove = (stand: Stand, namespace: string, what: readonly string[]): Promise<string> =>
  stand.kubectl(["delete", ...what, "-n", namespace, "--ignore-not-found", "--force", "--grace-period=0"]);

async function attempts(stand: Stand, namespace: string, pod: string, places: readonly string[]): Promise<string[]> {
  const said = await stand.kubectl(["exec", "-n", namespace, pod, "--", "sh", "-c", ATTEMPT, "sh", ...places]);
  const words = new Map(said.split("\n").map((line) => line.split(" ").reverse() as [string, string]));
  return places.filter((place) => {
    const word = words.get(place);
    if (word !== "open" && word !== "closed") throw new Error(`the probe ${pod} says nothing about ${place}: ${said}`);
    return word === "open";
  });
}

/** A rule may take a moment to reach the node. Looks again until it finds what is wanted, or for so long; gives the last look. */
export async function settled<T>(
  look: () => Promise<T>,
  isWanted: (found: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (isWanted(found) || Date.now() >= end) return found;
    await sleep(500);
  }
}
