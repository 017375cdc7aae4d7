import { elements, groupOf, into, kindOf, type Located, type Manifest, text, UNKNOWN } from "./manifest";

export interface PodTemplate {
  readonly labels: Located;
  readonly spec: Located;
}

export interface Container extends Located {
  readonly name: string | undefined;
  readonly role: "container" | "init" | "sidecar" | "ephemeral";
}

interface Carrier {
  readonly groups: readonly string[];
  readonly template: readonly string[];
}

const CARRIERS = new Map<string, Carrier>([
  ["Pod", { groups: [""], template: [] }],
  ["PodTemplate", { groups: [""], template: ["template"] }],
  ["ReplicationController", { groups: [""], template: ["spec", "template"] }],
  ["Deployment", { groups: ["apps", "extensions"], template: ["spec", "template"] }],
  ["DaemonSet", { groups: ["apps", "extensions"], template: ["spec", "template"] }],
  ["ReplicaSet", { groups: ["apps", "extensions"], template: ["spec", "template"] }],
  ["StatefulSet", { groups: ["apps"], template: ["spec", "template"] }],
  ["Job", { groups: ["batch"], template: ["spec", "template"] }],
  ["CronJob", { groups: ["batch"], template: ["spec", "jobTemplate", "spec", "template"] }],
]);

export const POD_KINDS: readonly string[] = [...CARRIERS.keys()];

/** A list, because later kinds carry more than one template. A manifest without apiVersion is judged by its kind alone. */
export function podTemplates(manifest: Manifest): PodTemplate[] {
  const carrier = CARRIERS.get(kindOf(manifest));
  const group = groupOf(manifest);
  if (carrier === undefined || (group !== undefined && !carrier.groups.includes(group))) return [];
  const template = into({ path: "", value: manifest }, ...carrier.template);
  return [{ labels: into(template, "metadata", "labels"), spec: into(template, "spec") }];
}

/** Every container a pod of this template can run. An unknown list or entry appears as one container with an unknown value. */
export function allContainers(template: PodTemplate): Container[] {
  const list = (field: string, role: Container["role"]): Container[] =>
    elements(into(template.spec, field)).map((located) => ({
      ...located,
      name: text(into(located, "name").value),
      role: role === "init" && into(located, "restartPolicy").value === "Always" ? "sidecar" : role,
    }));
  const containers = list("containers", "container");
  if (template.spec.value === UNKNOWN) return containers;
  return [...containers, ...list("initContainers", "init"), ...list("ephemeralContainers", "ephemeral")];
}
