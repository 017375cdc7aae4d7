import { type Fault, faultAt, unlessAllowed, type Words } from "../finding";
import { elements, into, type Located, UNKNOWN } from "../manifest";
import { allContainers, type PodTemplate } from "../podTemplate";

/** What would give a pod a part of its node: baseline. */

const no = (value: unknown): boolean => value === false;

export function privileged(template: PodTemplate): Fault[] {
  return allContainers(template).flatMap((container) =>
    unlessAllowed(into(container, "securityContext", "privileged"), no, {
      container: container.name,
      allowed: "false, or not set",
      fix: "remove it; one added capability is nearly always enough, and needs an exemption less wide",
    }),
  );
}

export const HOST_NAMESPACES = { hostPID: "cis:5.2.3", hostIPC: "cis:5.2.4", hostNetwork: "cis:5.2.5" } as const;

export function hostNamespaces(template: PodTemplate): Fault[] {
  return Object.entries(HOST_NAMESPACES).flatMap(([field, cis]) =>
    unlessAllowed(into(template.spec, field), no, {
      allowed: "false, or not set",
      fix: "remove it",
      controls: ["psa:hostNamespaces", cis, "nsa:host-namespaces"],
    }),
  );
}

export function hostPath(template: PodTemplate): Fault[] {
  return elements(into(template.spec, "volumes")).flatMap((volume) => {
    const path = into(volume, "hostPath");
    if (path.value === undefined || path.value === null) return [];
    const found = path.value === UNKNOWN ? undefined : "mounts a path of the node";
    const fix =
      "use a persistentVolumeClaim for data, an emptyDir for scratch space, a configMap or secret for settings";
    return [faultAt(path, { found, allowed: "no volume of type hostPath", fix })];
  });
}

export function hostPorts(template: PodTemplate): Fault[] {
  return allContainers(template).flatMap((container) =>
    elements(into(container, "ports")).flatMap((port) =>
      unlessAllowed(into(port, "hostPort"), (value) => value === 0, {
        container: container.name,
        allowed: "0, or not set",
        fix: "remove it, and reach the pod through a Service",
      }),
    ),
  );
}

export const HANDLERS = [
  ["livenessProbe"],
  ["readinessProbe"],
  ["startupProbe"],
  ["lifecycle", "postStart"],
  ["lifecycle", "preStop"],
];

export function hostProbes(template: PodTemplate): Fault[] {
  return allContainers(template).flatMap((container) =>
    HANDLERS.flatMap((handler) =>
      ["httpGet", "tcpSocket"].flatMap((way) =>
        unlessAllowed(into(container, ...handler, way, "host"), (value) => value === "", {
          container: container.name,
          allowed: "not set: the kubelet asks the pod itself",
          fix: "remove it",
        }),
      ),
    ),
  );
}

/** The pod's own setting, and that of each container. */
export function inEveryContext(
  template: PodTemplate,
  judge: (context: Located, words: Pick<Words, "container">) => Fault[],
): Fault[] {
  return [
    ...judge(into(template.spec, "securityContext"), {}),
    ...allContainers(template).flatMap((container) =>
      judge(into(container, "securityContext"), { container: container.name }),
    ),
  ];
}

export function windowsHostProcess(template: PodTemplate): Fault[] {
  return inEveryContext(template, (context, where) =>
    unlessAllowed(into(context, "windowsOptions", "hostProcess"), no, {
      ...where,
      allowed: "false, or not set",
      fix: "remove it",
    }),
  );
}
