import { type Fault, faultAt, onePerPath } from "../finding";
import { into, type Located, type Manifest } from "../manifest";
import { DEFAULT_OPTIONS, type Options } from "../options";
import { allContainers, type PodTemplate, podTemplates } from "../podTemplate";
import { ownUsers } from "./users";

const ALLOWED = "runAsNonRoot true for every container, set there or on the pod, and no runAsUser 0";
export const NON_ROOT = ["psa:runAsNonRoot", "cis:5.2.7", "nsa:non-root-containers"];
export const NON_ROOT_USER = ["psa:runAsUser", "cis:5.2.7", "nsa:non-root-containers"];

const mayBeRoot = (field: Located, container?: string): Fault =>
  faultAt(field, { container, allowed: ALLOWED, fix: "set it to true", set: true, controls: NON_ROOT });

function userFaults(securityContext: Located, container?: string): Fault[] {
  const user = into(securityContext, "runAsUser");
  const unset = user.value === undefined || user.value === null;
  if (unset || (Number.isInteger(user.value) && (user.value as number) > 0)) return [];
  const fix = "remove it, or set a user id above 0";
  return [faultAt(user, { container, allowed: ALLOWED, fix, controls: NON_ROOT_USER })];
}

function templateFaults(template: PodTemplate): Fault[] {
  const podContext = into(template.spec, "securityContext");
  const podDefault = into(podContext, "runAsNonRoot");
  const podSet = podDefault.value !== undefined && podDefault.value !== null;
  const faults = podSet && podDefault.value !== true ? [mayBeRoot(podDefault)] : [];
  faults.push(...userFaults(podContext));

  for (const container of allContainers(template)) {
    const own = into(container, "securityContext", "runAsNonRoot");
    // Unset falls back to the pod. A pod that sets something else is one fault above, not one more for each container.
    const inherits = own.value === undefined || own.value === null;
    if (inherits ? !podSet : own.value !== true) faults.push(mayBeRoot(own, container.name));
    faults.push(...userFaults(into(container, "securityContext"), container.name));
  }
  return faults;
}

/** Stricter than the image, which has no say: "not set" is a fault. Root of a user namespace of its own is nobody outside. */
export function nonRoot(manifest: Manifest, { podSecurity }: Options = DEFAULT_OPTIONS): Fault[] {
  return podTemplates(manifest)
    .filter((template) => podSecurity.version < 35 || !ownUsers(template))
    .flatMap((template) => onePerPath(templateFaults(template)));
}
