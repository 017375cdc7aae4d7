import { parseQuantity } from "../../components/lib/quantities";
import { type Fault, faultAt, onePerPath } from "./finding";
import { into, type Located, type Manifest, quote, UNKNOWN } from "./manifest";
import type { Options } from "./options";
import { allContainers, type Container, podTemplates } from "./podTemplate";

const EXAMPLES = { cpu: "250m", memory: "256Mi" } as const;
type Resource = keyof typeof EXAMPLES;
const RESOURCES = Object.keys(EXAMPLES) as Resource[];

const ALLOWED = "cpu and memory requests and limits above zero on every container, each limit at least its request";

const isAmount = ({ value }: Located): boolean => (parseQuantity(value) ?? 0n) > 0n;

function fieldFaults(container: Container, field: Located, resource: Resource): Fault[] {
  if (isAmount(field)) return [];
  const { value } = field;
  const odd = value !== undefined && value !== null && value !== UNKNOWN && parseQuantity(value) === undefined;
  const found = odd ? `is ${quote(value)}, not a quantity` : undefined;
  const example = EXAMPLES[resource];
  const fix = `set a ${resource} quantity, such as "${example}"`;
  return [faultAt(field, { container: container.name, found, allowed: ALLOWED, fix, set: example })];
}

function containerFaults(container: Container, ofPod: Located): Fault[] {
  const resources = into(container, "resources");
  const faults = RESOURCES.flatMap((resource) => {
    const fields = (["requests", "limits"] as const).map((kind) => {
      const own = into(resources, kind, resource);
      // A share of the pod's own is bounded as well.
      const shared = (own.value === undefined || own.value === null) && isAmount(into(ofPod, kind, resource));
      return { own, faults: shared ? [] : fieldFaults(container, own, resource) };
    });
    const found = fields.flatMap((each) => each.faults);
    const [request, limit] = fields.map(({ own }) => own);
    const [least, most] = [parseQuantity(request?.value), parseQuantity(limit?.value)];
    if (limit === undefined || found.length > 0 || least === undefined || most === undefined || most >= least)
      return found;
    const asked = quote(request?.value);
    const words = {
      found: `is ${quote(limit.value)}, below the request of ${asked}`,
      fix: `raise it to ${asked} or lower the request`,
    };
    return [faultAt(limit, { container: container.name, allowed: ALLOWED, ...words })];
  });
  return onePerPath(faults);
}

/** Ephemeral containers are left out: the API refuses resources on them. */
export function limits(manifest: Manifest): Fault[] {
  return podTemplates(manifest).flatMap((template) =>
    allContainers(template)
      .filter((container) => container.role !== "ephemeral")
      .flatMap((container) => containerFaults(container, into(template.spec, "resources"))),
  );
}

const showFactor = (most: bigint, least: bigint): string => (Number((most * 10n) / least) / 10).toString();

/** A limit far above the request promises what a full node cannot keep. */
export function ratio(manifest: Manifest, { ratio: most }: Options): Fault[] {
  return podTemplates(manifest)
    .flatMap(allContainers)
    .flatMap((container) =>
      RESOURCES.flatMap((resource) => {
        const limit = into(container, "resources", "limits", resource);
        const request = parseQuantity(into(container, "resources", "requests", resource).value) ?? 0n;
        const amount = parseQuantity(limit.value) ?? 0n;
        if (request <= 0n || amount * 100n <= request * BigInt(Math.round(most[resource] * 100))) return [];
        const found = `is ${quote(limit.value)}, ${showFactor(amount, request)} times the request`;
        const allowed = `at most ${most[resource]} times the ${resource} request`;
        return [
          faultAt(limit, { container: container.name, found, allowed, fix: "raise the request or lower the limit" }),
        ];
      }),
    );
}
