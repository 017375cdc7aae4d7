import { elements, groupOf, into, kindOf, type Located, type Manifest, text, UNKNOWN } from "./manifest";

export interface PodTemplate {
  readonly metadata: Located;
  readonly labels: Located;
  readonly spec: Located;
  /** Whether its pods run until somebody stops them, or until their work is done. */
  readonly lasting: boolean;
}

export interface Container extends Located {
  readonly name: string | undefined;
  readonly role: "container" | "init" | "sidecar" | "ephemeral";
}

interface Carrier {
  readonly groups: readonly string[];
  /** Ways to a template; "*" is every entry of a list or an object. */
  readonly templates: readonly (readonly string[])[];
  readonly ends?: true;
}

const IN_SPEC = [["spec", "template"]];

const CARRIERS: readonly (readonly [string, Carrier])[] = [
  ["Pod", { groups: [""], templates: [[]] }],
  ["PodTemplate", { groups: [""], templates: [["template"]] }],
  ["ReplicationController", { groups: [""], templates: IN_SPEC }],
  ["Deployment", { groups: ["apps", "extensions"], templates: IN_SPEC }],
  ["DaemonSet", { groups: ["apps", "extensions"], templates: IN_SPEC }],
  ["ReplicaSet", { groups: ["apps", "extensions"], templates: IN_SPEC }],
  ["StatefulSet", { groups: ["apps"], templates: IN_SPEC }],
  ["Job", { groups: ["batch"], templates: IN_SPEC, ends: true }],
  ["CronJob", { groups: ["batch"], templates: [["spec", "jobTemplate", "spec", "template"]], ends: true }],
];

const replicaSpecs = (field: string): readonly string[] => ["spec", field, "*", "template"];

/** Custom resources whose controllers make pods of the templates within. */
const CUSTOM: readonly (readonly [string, Carrier])[] = [
  ["Rollout", { groups: ["argoproj.io"], templates: IN_SPEC }],
  ["CloneSet", { groups: ["apps.kruise.io"], templates: IN_SPEC }],
  ["StatefulSet", { groups: ["apps.kruise.io"], templates: IN_SPEC }],
  ["DaemonSet", { groups: ["apps.kruise.io"], templates: IN_SPEC }],
  ["BroadcastJob", { groups: ["apps.kruise.io"], templates: IN_SPEC, ends: true }],
  ["Service", { groups: ["serving.knative.dev"], templates: IN_SPEC }],
  ["Configuration", { groups: ["serving.knative.dev"], templates: IN_SPEC }],
  ["Revision", { groups: ["serving.knative.dev"], templates: [[]] }],
  ["ScaledJob", { groups: ["keda.sh"], templates: [["spec", "jobTargetRef", "template"]], ends: true }],
  [
    "JobSet",
    {
      groups: ["jobset.x-k8s.io"],
      templates: [["spec", "replicatedJobs", "*", "template", "spec", "template"]],
      ends: true,
    },
  ],
  ["Job", { groups: ["batch.volcano.sh"], templates: [["spec", "tasks", "*", "template"]], ends: true }],
  [
    "LeaderWorkerSet",
    {
      groups: ["leaderworkerset.x-k8s.io"],
      templates: [
        ["spec", "leaderWorkerTemplate", "leaderTemplate"],
        ["spec", "leaderWorkerTemplate", "workerTemplate"],
      ],
    },
  ],
  [
    "RayCluster",
    {
      groups: ["ray.io"],
      templates: [
        ["spec", "headGroupSpec", "template"],
        ["spec", "workerGroupSpecs", "*", "template"],
      ],
    },
  ],
  ["PyTorchJob", { groups: ["kubeflow.org"], templates: [replicaSpecs("pytorchReplicaSpecs")], ends: true }],
  ["TFJob", { groups: ["kubeflow.org"], templates: [replicaSpecs("tfReplicaSpecs")], ends: true }],
  ["MPIJob", { groups: ["kubeflow.org"], templates: [replicaSpecs("mpiReplicaSpecs")], ends: true }],
  ["Sandbox", { groups: ["agents.x-k8s.io"], templates: [["spec", "podTemplate"]] }],
];

const BY_KIND = new Map<string, Carrier[]>();
for (const [kind, carrier] of [...CARRIERS, ...CUSTOM]) BY_KIND.set(kind, [...(BY_KIND.get(kind) ?? []), carrier]);

/** Kubernetes' own kinds that carry a template. */
export const POD_KINDS: readonly string[] = CARRIERS.map(([kind]) => kind);

export const CUSTOM_CARRIERS: readonly { kind: string; group: string; templates: Carrier["templates"] }[] =
  CUSTOM.flatMap(([kind, { groups, templates }]) => groups.map((group) => ({ kind, group, templates })));

function follow(from: Located, keys: readonly string[]): Located[] {
  const star = keys.indexOf("*");
  if (star < 0) return [into(from, ...keys)];
  const list = into(from, ...keys.slice(0, star));
  const named = typeof list.value === "object" && list.value !== null && !Array.isArray(list.value);
  const entries = named ? Object.keys(list.value ?? {}).map((key) => into(list, key)) : elements(list);
  return entries.flatMap((entry) => follow(entry, keys.slice(star + 1)));
}

/** A manifest without apiVersion is judged as Kubernetes' own kind of that name. */
function carrierOf(manifest: Manifest): Carrier | undefined {
  const group = groupOf(manifest);
  const carriers = BY_KIND.get(kindOf(manifest));
  return group === undefined ? carriers?.[0] : carriers?.find(({ groups }) => groups.includes(group));
}

/** Whether its kind has a template, whatever stands in it. */
export const carriesPods = (manifest: Manifest): boolean => carrierOf(manifest) !== undefined;

/** Nearly every rule asks for the same ones. */
function once<K extends object, V>(look: (of: K) => readonly V[]): (of: K) => readonly V[] {
  const known = new WeakMap<K, readonly V[]>();
  return (of) => {
    const found = known.get(of) ?? look(of);
    known.set(of, found);
    return found;
  };
}

export const podTemplates = once((manifest: Manifest): PodTemplate[] => {
  const carrier = carrierOf(manifest);
  if (carrier === undefined) return [];
  const whole: Located = { path: "", value: manifest };
  return carrier.templates
    .flatMap((keys) => follow(whole, keys))
    .filter(({ value }) => value !== undefined)
    .map((template) => {
      const spec = into(template, "spec");
      const policy = into(spec, "restartPolicy").value;
      return {
        metadata: into(template, "metadata"),
        labels: into(template, "metadata", "labels"),
        spec,
        lasting: carrier.ends !== true && policy !== "Never" && policy !== "OnFailure",
      };
    });
});

/** Every container a pod of this template can run. An unknown list or entry appears as one container with an unknown value. */
export const allContainers = once((template: PodTemplate): Container[] => {
  const list = (field: string, role: Container["role"]): Container[] =>
    elements(into(template.spec, field)).map((located) => ({
      ...located,
      name: text(into(located, "name").value),
      role: role === "init" && into(located, "restartPolicy").value === "Always" ? "sidecar" : role,
    }));
  const containers = list("containers", "container");
  if (template.spec.value === UNKNOWN) return containers;
  return [...containers, ...list("initContainers", "init"), ...list("ephemeralContainers", "ephemeral")];
});
