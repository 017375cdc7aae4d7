import { parseQuantity } from "../../components/lib/quantities";
import { type Fault, faultAt, onePerPath } from "./finding";
import { into, type Located, type Manifest, quote, UNKNOWN } from "./manifest";
import { allContainers, type Container, podTemplates } from "./podTemplate";

const EXAMPLES = { cpu: '"250m"', memory: '"256Mi"' } as const;
type Resource = keyof typeof EXAMPLES;

const ALLOWED = "cpu and memory requests and limits above zero on every container, each limit at least its request";

function fault(container: Container, field: Located, found: string, fix: string): Fault {
  return {
    ...(container.name === undefined ? {} : { container: container.name }),
    path: field.path,
    found,
    allowed: ALLOWED,
    fix,
    ...(field.value === UNKNOWN ? { undecidable: true } : {}),
  };
}

function fieldFaults(container: Container, field: Located, resource: Resource): Fault[] {
  const amount = parseQuantity(field.value);
  if (amount !== undefined && amount > 0n) return [];
  if (field.value === UNKNOWN) {
    return [fault(container, field, `is ${quote(UNKNOWN)}`, "set it to a value that is known at preview")];
  }
  const unset = field.value === undefined || field.value === null;
  const found = unset || amount !== undefined ? `is ${quote(field.value)}` : `is ${quote(field.value)}, not a quantity`;
  return [fault(container, field, found, `set a ${resource} quantity, such as ${EXAMPLES[resource]}`)];
}

function containerFaults(container: Container): Fault[] {
  const resources = into(container, "resources");
  const faults = (Object.keys(EXAMPLES) as Resource[]).flatMap((resource) => {
    const request = into(resources, "requests", resource);
    const limit = into(resources, "limits", resource);
    const found = [...fieldFaults(container, request, resource), ...fieldFaults(container, limit, resource)];
    const [least, most] = [parseQuantity(request.value), parseQuantity(limit.value)];
    if (found.length > 0 || least === undefined || most === undefined || most >= least) return found;
    const below = `is ${quote(limit.value)}, below the request of ${quote(request.value)}`;
    return [fault(container, limit, below, `raise it to ${quote(request.value)} or lower the request`)];
  });
  return onePerPath(faults);
}

/** Ephemeral containers are left out: the API refuses resources on them. */
export function limits(manifest: Manifest): Fault[] {
  return podTemplates(manifest)
    .flatMap(allContainers)
    .filter((container) => container.role !== "ephemeral")
    .flatMap(containerFaults);
}
