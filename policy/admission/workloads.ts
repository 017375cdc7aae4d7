import { DIGEST, FLOATING } from "../rules/images";
import { DEFAULT_GRACE, PROBES, PURPOSE, SPREAD_KINDS } from "../rules/lifecycle";
import {
  type AdmissionRule,
  type Cel,
  POD,
  SPEC,
  any,
  concat,
  get,
  inContainers,
  inSteady,
  isSet,
  list,
  placeIf,
  placesIn,
  pods,
  text,
} from "./cel";

/** What rules ask of workloads beside Pod Security. */

const RESOURCES = ["cpu", "memory"] as const;
const KINDS = ["requests", "limits"] as const;
const NOTHING = 'quantity("0")';

/** An amount above zero. */
const isAmount = (from: Cel, path: string): Cel => {
  const value = `string(${get(from, path, '"0"')})`;
  return `isQuantity(${value}) && quantity(${value}).isGreaterThan(${NOTHING})`;
};
const amount = (path: string): Cel => `quantity(string(${get("c", path, '"0"')}))`;
const approximate = (path: string): Cel => `${amount(path)}.asApproximateFloat()`;

const limits = (): Cel =>
  concat(
    RESOURCES.flatMap((resource) => {
      const [request, limit] = KINDS.map((kind) => `resources.${kind}.${resource}`) as [string, string];
      const open = (path: string): Cel =>
        `${isSet("c", path)} ? !(${isAmount("c", path)}) : !(${isAmount(SPEC, path)})`;
      const both = [request, limit].map((path) => isAmount("c", path)).join(" && ");
      return [
        ...[request, limit].map((path) => inSteady(open(path), path)),
        inSteady(`${both} && ${amount(limit)}.isLessThan(${amount(request)})`, limit),
      ];
    }),
  );

/** Amounts are compared as floats here: a billionth more is no fault. */
const A_LITTLE_MORE = 1 + 1e-9;

const runsOn = `!(object.kind in ["Job", "CronJob"]) && !(${get(SPEC, "restartPolicy", '"Always"')} in ["Never", "OnFailure"])`;

const named = (port: Cel): Cel =>
  `type(${port}) == string && !${port}.matches("^[0-9]+$") && !${get("c", "ports", "[]")}.exists(p, ${get("p", "name", '""')} == ${port})`;

const hook = get("c", "lifecycle.preStop.exec.command", "[]");
const waits = `${hook}.join(" ").find(${text("(^|[\\s;&/\"'])sleep\\s+[0-9]+")}).find("[0-9]+$")`;
const grace = get(SPEC, "terminationGracePeriodSeconds", String(DEFAULT_GRACE));
const sleeps = get("c", "lifecycle.preStop.sleep.seconds", "0");

const labels = get(POD, "metadata.labels", "{}");
const hasLabel = (value: Cel): Cel => `e.key in ${labels} && ${labels}[e.key] in ${value}`;
const own = (term: Cel): Cel => {
  const expressions = get(term, "labelSelector.matchExpressions", "[]");
  const wanted = get(term, "labelSelector.matchLabels", "{}");
  const values = get("e", "values", "[]");
  return (
    `has(${term}.labelSelector) && ${wanted}.all(k, k in ${labels} && ${labels}[k] == ${wanted}[k]) && ${expressions}.all(e, ` +
    `e.operator == "In" ? ${hasLabel(values)} : e.operator == "NotIn" ? !(${hasLabel(values)}) : ` +
    `e.operator == "Exists" ? e.key in ${labels} : !(e.key in ${labels}))`
  );
};
const apart = "affinity.podAntiAffinity";
const spreads = any([
  `${get(SPEC, "topologySpreadConstraints", "[]")}.exists(t, ${own("t")})`,
  `${get(SPEC, `${apart}.requiredDuringSchedulingIgnoredDuringExecution`, "[]")}.exists(t, ${own("t")})`,
  `${get(SPEC, `${apart}.preferredDuringSchedulingIgnoredDuringExecution`, "[]")}.exists(t, has(t.podAffinityTerm) && ${own("t.podAffinityTerm")})`,
]);

const IMAGE = get("c", "image", '""');
const VOLUME_IMAGE = get("v", "image.reference", '""');
const hasDigest = (image: Cel): Cel => `${image}.matches(${text(DIGEST.source)})`;
const name = (image: Cel): Cel => `${image}.split("@")[0]`;
const hasTag = (image: Cel): Cel => `${name(image)}.matches(":[^:/@]+$")`;
const floats = (image: Cel): Cel =>
  `(!${hasTag(image)} || ${name(image)}.matches(${text(`:(${FLOATING.join("|")})$`)}))`;

/** Of containers, and of volumes that are images. */
const ofImages = (broken: (image: Cel) => Cel): Cel =>
  concat([
    inContainers(broken(IMAGE), "image"),
    placesIn(
      "variables.volumes",
      "v",
      "volume",
      `${isSet("v", "image.reference")} && ${broken(VOLUME_IMAGE)}`,
      "image.reference",
    ),
  ]);

/** As container runtimes read short names. */
const whole = (image: Cel): Cel => {
  const first = `${image}.split("/")[0]`;
  return (
    `(!${image}.contains("/") ? "docker.io/library/" + ${image} : ` +
    `${first}.contains(".") || ${first}.contains(":") || ${first} == "localhost" ? ${image} : "docker.io/" + ${image})`
  );
};

export const WORKLOADS: Readonly<Record<string, AdmissionRule>> = {
  limits: pods("cpu and memory requests and limits above zero, each limit at least its request", limits),
  "resource-ratio": pods(
    ({ ratio }) => `at most ${RESOURCES.map((each) => `${ratio[each]} times the ${each} request`).join(", ")}`,
    ({ ratio }) =>
      concat(
        RESOURCES.map((resource) => {
          const [request, limit] = [`resources.requests.${resource}`, `resources.limits.${resource}`];
          const most = (ratio[resource] * A_LITTLE_MORE).toFixed(9);
          return inContainers(
            `${isAmount("c", request)} && ${isAmount("c", limit)} && ${approximate(limit)} > ${approximate(request)} * ${most}`,
            limit,
          );
        }),
      ),
  ),
  probes: pods("readinessProbe and livenessProbe", () => {
    const mains = get(SPEC, "containers", "[]");
    return concat(
      Object.keys(PURPOSE).map((probe) =>
        placesIn(`(${runsOn} ? ${mains} : [])`, "c", "container", `!has(c.${probe})`, probe),
      ),
    );
  }),
  "probe-port": pods("a number, or the name of one of the container's ports", () =>
    concat(
      PROBES.flatMap((probe) =>
        ["httpGet", "tcpSocket"].map((way) => {
          const path = `${probe}.${way}.port`;
          return inContainers(named(get("c", path, "0")), path);
        }),
      ),
    ),
  ),
  grace: pods("more than preStop waits, with time for the process to end", () =>
    placeIf(
      `variables.containers.exists(c, (${sleeps} > 0 && ${grace} <= ${sleeps}) || ` +
        `(!${isSet("c", "lifecycle.preStop.sleep.seconds")} && ${waits} != "" && int(${waits}) > 0 && ${grace} <= int(${waits})))`,
      "terminationGracePeriodSeconds",
    ),
  ),
  spread: pods("a constraint, or podAntiAffinity, that keeps replicas apart", () =>
    placeIf(
      `object.kind in ${list(SPREAD_KINDS)} && ${get("object", "spec.replicas", "1")} >= 2 && !(${spreads})`,
      "topologySpreadConstraints",
    ),
  ),
  "image-tag": pods("a version, by digest", () => ofImages((image) => `!${hasDigest(image)} && ${floats(image)}`)),
  "image-digest": pods("a reference that ends in @sha256: and 64 digits", () =>
    ofImages((image) => `${image} != "" && !${hasDigest(image)} && !${floats(image)}`),
  ),
  "image-origin": pods("an image of the lock, or of the stack's registry", ({ imagesFrom }) =>
    imagesFrom.length === 0
      ? undefined
      : ofImages((image) => {
          const from = `start, ${image}.startsWith(start) || ${whole(image)}.startsWith(start)`;
          return `${image} != "" && !${list(imagesFrom)}.exists(${from})`;
        }),
  ),
  "read-only-root": pods("true, with an emptyDir where it writes", () => {
    const field = "securityContext.readOnlyRootFilesystem";
    return `(${get(SPEC, "os.name", '""')} == "windows" ? [] : ${inSteady(`!${get("c", field, "false")}`, field)})`;
  }),
};
