import { type Fault, onePerPath } from "./finding";
import { into, type Located, type Manifest, quote, UNKNOWN } from "./manifest";
import { allContainers, type PodTemplate, podTemplates } from "./podTemplate";

const ALLOWED = "runAsNonRoot true for every container, set there or on the pod, and no runAsUser 0";
const PIN = "set it to a value that is known at preview";

function mayRunAsRoot(field: Located, fix: string, container?: string): Fault {
  const undecidable = field.value === UNKNOWN;
  return {
    ...(container === undefined ? {} : { container }),
    path: field.path,
    found: `is ${quote(field.value)}`,
    allowed: ALLOWED,
    fix: undecidable ? PIN : fix,
    ...(undecidable ? { undecidable } : {}),
  };
}

function userFaults(securityContext: Located, container?: string): Fault[] {
  const user = into(securityContext, "runAsUser");
  const fine = user.value === undefined || user.value === null;
  if (fine || (Number.isInteger(user.value) && (user.value as number) > 0)) return [];
  return [mayRunAsRoot(user, "remove it, or set a user id above 0", container)];
}

function templateFaults(template: PodTemplate): Fault[] {
  const podContext = into(template.spec, "securityContext");
  const podDefault = into(podContext, "runAsNonRoot");
  const podSet = podDefault.value !== undefined && podDefault.value !== null;
  const podFine = podDefault.value === true;
  const faults = podSet && !podFine ? [mayRunAsRoot(podDefault, "set it to true")] : [];
  faults.push(...userFaults(podContext));

  for (const container of allContainers(template)) {
    const own = into(container, "securityContext", "runAsNonRoot");
    // Unset falls back to the pod. A pod that sets something else is one fault above, not one more for each container.
    const inherits = own.value === undefined || own.value === null;
    if (inherits ? !podSet : own.value !== true) faults.push(mayRunAsRoot(own, "set it to true", container.name));
    faults.push(...userFaults(into(container, "securityContext"), container.name));
  }
  return faults;
}

/** Stricter than Pod Security where that leaves a choice to the image: "not set" is a fault. */
export function nonRoot(manifest: Manifest): Fault[] {
  return podTemplates(manifest).flatMap((template) => onePerPath(templateFaults(template)));
}
