import { type Fault, faultAt } from "../finding";
import { elements, field, into, type Located, UNKNOWN } from "../manifest";
import { allContainers, type Container, type PodTemplate } from "../podTemplate";
import { equal, some } from "../selector";
import { onWindows } from "./users";

export function privilegeEscalation(template: PodTemplate): Fault[] {
  if (onWindows(template)) return [];
  return allContainers(template).flatMap((container) => {
    const own = into(container, "securityContext", "allowPrivilegeEscalation");
    if (own.value === false) return [];
    const words = { allowed: "false, said for every container", fix: "set it to false", set: false };
    return [faultAt(own, { container: container.name, ...words })];
  });
}

/** What a container runtime gives anyway. */
export const DEFAULT_SET = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

const added = (container: Container): Located[] => elements(into(container, "securityContext", "capabilities", "add"));
const inDefaultSet = ({ value }: Located): boolean => DEFAULT_SET.includes(value as string);

export function addedCapabilities(template: PodTemplate): Fault[] {
  return allContainers(template).flatMap((container) =>
    added(container)
      .filter((capability) => !inDefaultSet(capability))
      .map((capability) =>
        faultAt(capability, {
          container: container.name,
          allowed: `none, or of the default set ${DEFAULT_SET.join(", ")}`,
          fix: "remove it",
          controls: [
            "psa:capabilities_baseline",
            "psa:capabilities_restricted",
            ...(capability.value === "NET_RAW" ? ["cis:5.2.8"] : []),
            "cis:5.2.9",
          ],
        }),
      ),
  );
}

/** Those outside the default set have been named by the rule above. */
export function droppedCapabilities(template: PodTemplate): Fault[] {
  if (onWindows(template)) return [];
  return allContainers(template).flatMap((container) => {
    const drop = into(container, "securityContext", "capabilities", "drop");
    const list = drop.value === UNKNOWN || Array.isArray(drop.value) ? drop.value : [];
    const all = list === UNKNOWN ? UNKNOWN : some(Array.from(list as unknown[]), (each) => equal(each, "ALL"));
    const where = { container: container.name };
    const undropped =
      all === true
        ? []
        : [
            faultAt(all === UNKNOWN ? { ...drop, value: UNKNOWN } : drop, {
              ...where,
              ...(Array.isArray(drop.value) ? { found: "does not hold ALL" } : {}),
              allowed: 'a list with "ALL"',
              fix: "drop ALL",
              set: ["ALL"],
            }),
          ];
    const kept = added(container)
      .filter((capability) => inDefaultSet(capability) && capability.value !== "NET_BIND_SERVICE")
      .map((capability) => faultAt(capability, { ...where, allowed: "NET_BIND_SERVICE, or none", fix: "remove it" }));
    return [...undropped, ...kept];
  });
}

export const ALLOWED_VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

/** hostPath is left to its own rule. A volume without any source is an emptyDir. */
export function volumeTypes(template: PodTemplate): Fault[] {
  return elements(into(template.spec, "volumes")).flatMap((volume) => {
    const words = {
      allowed: `a volume of type ${ALLOWED_VOLUMES.join(", ")}`,
      fix: "use a persistentVolumeClaim of a StorageClass that provides it",
    };
    if (volume.value === UNKNOWN) return [faultAt(volume, words)];
    if (ALLOWED_VOLUMES.some((type) => isThere(field(volume.value, type)))) return [];
    const given = typeof volume.value === "object" && volume.value !== null ? Object.entries(volume.value) : [];
    const other = given.find(([type, value]) => type !== "name" && type !== "hostPath" && isThere(value));
    return other === undefined
      ? []
      : [faultAt(into(volume, other[0]), { found: "is a type that reaches around the storage classes", ...words })];
  });
}
