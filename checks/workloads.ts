import { selector } from "../components/lib/labels";
import { parseReference } from "../components/lib/imageReference";
import { type Check, Skip, none, some } from "./check";
import { type Pod, isDone, isReady, nameOf, ownPods } from "./pods";
import type { Stand } from "./stand";

const HOUR_MS = 3_600_000;
const IMAGE_ERRORS = ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"];

interface Deployment {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly spec: {
        readonly topologySpreadConstraints?: readonly { readonly whenUnsatisfiable: string }[];
      };
    };
  };
  readonly status: { readonly readyReplicas?: number; readonly availableReplicas?: number };
}

const running = async (stand: Stand): Promise<Pod[]> => (await ownPods(stand)).filter((pod) => !isDone(pod));

async function applicationPods(stand: Stand): Promise<Map<string, Pod[]>> {
  const pods = await running(stand);
  const names = Object.keys(stand.config.apps);
  if (names.length === 0) throw new Skip("the stack has no application");
  const isOf = (name: string, { metadata }: Pod): boolean =>
    Object.entries(selector({ environment: "", component: "app", name })).every(
      ([key, value]) => metadata.labels?.[key] === value,
    );
  return new Map(
    names.map((name) => [
      name,
      [
        ...some(
          `pod of ${name}`,
          pods.filter((pod) => isOf(name, pod)),
        ),
      ],
    ]),
  );
}

/** What a pod that is not ready says of itself. */
function ailment(pod: Pod): string {
  const { phase, conditions = [], containerStatuses = [] } = pod.status;
  const waiting = containerStatuses.flatMap(({ name, state }) =>
    state.waiting ? [`${name}: ${state.waiting.reason ?? ""} ${state.waiting.message ?? ""}`.trim()] : [],
  );
  const unmet = conditions.flatMap(({ type, status, message }) =>
    status === "True" || !message ? [] : [`${type}: ${message}`],
  );
  return `${nameOf(pod)} is ${phase}: ${[...waiting, ...unmet].join("; ") || "no reason given"}`;
}

async function ready(stand: Stand): Promise<string> {
  const pods = await running(stand);
  none("not ready", pods.filter((pod) => !isReady(pod)).map(ailment));
  const workloads = await stand.own<Deployment>("deployments,statefulsets");
  none(
    "fewer replicas than asked for",
    some("workload", workloads)
      .filter(({ spec, status }) => (status.readyReplicas ?? 0) < spec.replicas)
      .map((each) => `${nameOf(each)} has ${each.status.readyReplicas ?? 0} of ${each.spec.replicas}`),
  );
  return `${pods.length} pods`;
}

/** As a kubelet reports a container whose end it did not see. */
const WITH_ITS_NODE = ["Unknown", "ContainerStatusUnknown"];
/** As one ends that meant to, such as to come back with a password that was changed. */
const WELL = 0;

/** Only the last hour counts, and only what broke by itself: what went down with its node is no fault of the container. */
async function unbroken(stand: Stand): Promise<string> {
  const statuses = (await running(stand)).flatMap((pod) =>
    (pod.status.containerStatuses ?? []).map((status) => ({ pod, status })),
  );
  const recent = statuses.filter(({ status }) => {
    const { finishedAt = "1970-01-01", reason = "", exitCode } = status.lastState.terminated ?? {};
    const isRecent = Date.now() - Date.parse(finishedAt) < HOUR_MS;
    return isRecent && exitCode !== WELL && !WITH_ITS_NODE.includes(reason);
  });
  none(
    "restarted within the last hour",
    recent.map(({ pod, status: { name, restartCount, lastState } }) => {
      const { reason = "", exitCode } = lastState.terminated ?? {};
      return `${nameOf(pod)} ${name}: ${restartCount} times, at last by ${reason} (exit ${exitCode})`;
    }),
  );
  none(
    "an image or a Secret is missing",
    statuses
      .filter(({ status }) => IMAGE_ERRORS.includes(status.state.waiting?.reason ?? ""))
      .map(({ pod }) => ailment(pod)),
  );
  const before = statuses.filter(({ status }) => status.restartCount > 0).length;
  return before > 0
    ? `${before} of ${statuses.length} containers restarted longer ago, or with their node`
    : `${statuses.length} containers`;
}

async function spread(stand: Stand): Promise<string> {
  const { profile } = stand.config;
  const { length: nodes } = (await stand.kubectl(["get", "nodes", "-o", "name"])).trim().split("\n");
  const found = [...(await applicationPods(stand))].map(([name, pods]) => {
    const places = new Set(pods.map(({ spec }) => spec.nodeName));
    if (profile.spread === "hard" && places.size < Math.min(nodes, pods.length))
      throw new Error(`${name}: ${pods.length} replicas are on ${[...places].join(", ")} only`);
    return `${name}: ${pods.length} on ${places.size}`;
  });
  if (profile.spread === "soft") return `${found.join("; ")} (soft: not demanded)`;
  return found.join("; ");
}

async function size(stand: Stand): Promise<string> {
  const { profile, apps } = stand.config;
  const wanted = (name: string): number => apps[name]?.autoscale?.min ?? apps[name]?.replicas ?? profile.replicas;
  const found = [...(await applicationPods(stand))].map(([name, pods]) => [name, pods.filter(isReady).length] as const);
  none(
    `fewer replicas than ${stand.stack} asks for`,
    found
      .filter(([name, count]) => count < wanted(name))
      .map(([name, count]) => `${name} has ${count} that are ready, of ${wanted(name)}`),
  );
  return found.map(([name, count]) => `${name}: ${count}`).join("; ");
}

const imagesOf = (pods: readonly Pod[]): { pod: Pod; image: string }[] =>
  pods.flatMap((pod) =>
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ image }) => ({ pod, image })),
  );

async function byDigest(stand: Stand): Promise<string> {
  const images = imagesOf(await ownPods(stand));
  none(
    "no tag and digest",
    images
      .filter(({ image }) => !/:[\w][\w.-]*@sha256:[0-9a-f]{64}$/.test(image))
      .map(({ pod, image }) => `${nameOf(pod)}: ${image}`),
  );
  return `${new Set(images.map(({ image }) => image)).size} images`;
}

async function byName(stand: Stand): Promise<string> {
  const wanted = stand.target.registries[stand.stack]?.host;
  const images = [...(await applicationPods(stand)).values()].flatMap(imagesOf);
  none(
    `the registry of ${stand.stack} is ${wanted}`,
    images
      .filter(({ image }) => image.split("/")[0] !== wanted || /^\d+\.\d+\.\d+\.\d+/.test(image))
      .map(({ pod, image }) => `${nameOf(pod)}: ${image}`),
  );
  return wanted ?? "";
}

async function asRecorded(stand: Stand): Promise<string> {
  const { releases } = await stand.outputs();
  for (const [name, pods] of await applicationPods(stand)) {
    const { digest } = parseReference(releases[name]?.image ?? "");
    // A node that has the same content from another registry names that one.
    const others = pods.filter(({ status }) =>
      (status.containerStatuses ?? []).some(
        (each) => each.name === "app" && !each.imageID.endsWith(`/${name}@${digest}`),
      ),
    );
    none(`${name} was recorded with ${digest}`, others.map(nameOf));
  }
  return Object.keys(releases).join(", ");
}

export const workloadChecks: readonly Check[] = [
  { id: "000.1", title: "every pod is ready, and every workload has all its replicas", run: ready },
  { id: "000.5", title: "no container was restarted of late, and none waits for an image or a Secret", run: unbroken },
  { id: "002.9", title: "each application is as large as the profile says", run: size },
  { id: "003.10", title: "replicas are on nodes of their own where the profile demands it", run: spread },
  { id: "000.18", title: "applications run from the environment's registry, by its name", run: byName },
  { id: "000.19", title: "every image is named by tag and digest", run: byDigest },
  { id: "003.5", title: "what runs is what the stack recorded", run: asRecorded },
];
