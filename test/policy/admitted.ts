import type * as celJs from "@marcbachmann/cel-js" with { "resolution-mode": "import" };
import { parseQuantity } from "../../components/lib/quantities";
import { type AdmissionPolicy, admissionPolicies, KINDS } from "../../policy/admission/policies";
import { judgeObject, type Judgement } from "../../policy/judge";
import type { Finding } from "../../policy/rules/finding";
import { at, groupOf, kindOf, type Manifest } from "../../policy/rules/manifest";

/** The policies of the API server without one: what they say of an object, by an implementation of CEL in JavaScript. */

let cel: celJs.Environment;
before(async () => (cel = environment(await import("@marcbachmann/cel-js"))));

class Quantity {
  constructor(readonly billionths: bigint) {}
}

/** With what Kubernetes adds to CEL. */
function environment({ Environment: Made }: typeof celJs): celJs.Environment {
  const parsed = (text: string): bigint => {
    const found = parseQuantity(text);
    if (found === undefined) throw new Error(`not a quantity: ${text}`);
    return found;
  };
  return new Made({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxAstNodes: 1_000_000, maxDepth: 1000, maxListElements: 1000 },
  })
    .registerType("Quantity", Quantity)
    .registerFunction("isQuantity(string): bool", (text: string) => parseQuantity(text) !== undefined)
    .registerFunction("quantity(string): Quantity", (text: string) => new Quantity(parsed(text)))
    .registerFunction(
      "Quantity.isGreaterThan(Quantity): bool",
      (a: Quantity, b: Quantity) => a.billionths > b.billionths,
    )
    .registerFunction("Quantity.isLessThan(Quantity): bool", (a: Quantity, b: Quantity) => a.billionths < b.billionths)
    .registerFunction("Quantity.asApproximateFloat(): double", (a: Quantity) => Number(a.billionths) / 1e9)
    .registerFunction(
      "string.find(string): string",
      (text: string, form: string) => new RegExp(form).exec(text)?.[0] ?? "",
    );
}

/** As the API server hands an object to CEL: without nulls but those that it writes itself, and with whole numbers as such. */
function served(value: unknown, nulls: object = {}): unknown {
  if (Array.isArray(value)) return value.map((each) => served(each));
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  if (typeof value !== "object" || value === null) return value;
  const set = Object.entries(value).filter(([, each]) => each !== null && each !== undefined);
  return { ...nulls, ...Object.fromEntries(set.map(([key, each]) => [key, served(each)])) };
}

const compiled = new Map<string, ReturnType<celJs.Environment["parse"]>>();
function evaluate(expression: string, context: Record<string, unknown>): unknown {
  let ready = compiled.get(expression);
  if (ready === undefined) compiled.set(expression, (ready = cel.parse(expression)));
  return ready(context) as unknown;
}

export interface Asked {
  readonly object: Manifest;
  readonly oldObject?: Manifest;
  readonly user?: string;
  readonly now?: Date;
}

interface Named {
  readonly name: string;
  readonly expression: string;
}

const GROUPS: Readonly<Record<string, string>> = {
  Ingress: "networking.k8s.io",
  Gateway: "gateway.networking.k8s.io",
  Role: "rbac.authorization.k8s.io",
  RoleBinding: "rbac.authorization.k8s.io",
  ...Object.fromEntries(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"].map((kind) => [kind, "apps"])),
  ...Object.fromEntries(["Job", "CronJob"].map((kind) => [kind, "batch"])),
};

/** Whether the API server asks a policy about such an object at all. */
export const isReached = (manifest: Manifest, subject?: keyof typeof KINDS): boolean =>
  (subject === undefined ? [...KINDS.pods, ...KINDS.objects] : KINDS[subject]).includes(kindOf(manifest)) &&
  [undefined, GROUPS[kindOf(manifest)] ?? ""].includes(groupOf(manifest));

const subjectOf = ({ role }: AdmissionPolicy): keyof typeof KINDS => (role.startsWith("pods") ? "pods" : "objects");

/** What a policy finds broken; undefined where it is not asked. */
export function saidBy(
  policy: AdmissionPolicy,
  { object, oldObject, user = "somebody", now }: Asked,
): string[] | undefined {
  if (!isReached(object, subjectOf(policy))) return undefined;
  const { matchConditions, variables: named } = policy.spec as { matchConditions: Named[]; variables: Named[] };
  const variables: Record<string, unknown> = {};
  const context = {
    object: served(object, kindOf(object) === "Role" ? { rules: null } : {}),
    oldObject: served(oldObject ?? null),
    request: { userInfo: { username: user } },
    params: { spec: { renewTime: (now ?? new Date()).toISOString() } },
    variables,
  };
  if (!matchConditions.every(({ expression }) => evaluate(expression, context))) return undefined;
  for (const { name, expression } of named) variables[name] = evaluate(expression, context);
  return variables.findings as string[];
}

/** What all policies that follow from a judgement find. */
export const admission = (namespaces: readonly string[], judgement: Judgement, asked: Asked): string[] =>
  admissionPolicies(namespaces, judgement).flatMap((policy) => saidBy(policy, asked) ?? []);

const LISTED = /^(?:init|ephemeral)?[cC]ontainers\[\d+\]\.(.*)$/;

/** The place of a finding in the words of a policy. */
function placeOf({ path, container }: Finding, manifest: Manifest): string {
  const inside = path.replace(/^(?:spec\.jobTemplate\.spec\.template\.|spec\.template\.|template\.)/, "");
  const ofPod = isReached(manifest, "pods");
  const place = ofPod ? inside.replace(/^spec\./, "") : path;
  const [, ofContainer] = LISTED.exec(place) ?? [];
  const [, index, ofVolume] = (ofPod && /^volumes\[(\d+)\]\.(.*)$/.exec(place)) || [];
  const way = path.slice(0, path.length - place.length + "volumes".length).split(".");
  const name = index === undefined ? "" : String(at(manifest, ...way, Number(index), "name"));
  const whole = ofContainer
    ? `container "${container}": ${ofContainer}`
    : ofVolume
      ? `volume "${name}": ${ofVolume}`
      : place;
  return whole.replace(/\[\d+\]/g, "");
}

const sorted = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

/** What the rules themselves find, in the words of a policy. What is worth a word only is no finding of a policy. */
export const predicted = (manifest: Manifest, judgement: Judgement): string[] =>
  sorted(
    judgeObject({ manifest, pulumiName: "x" }, judgement)
      .findings.filter(({ soft }) => soft !== true)
      .map((finding) => `[${finding.rule}] ${placeOf(finding, manifest)}`),
  );

/** Rule and place of each thing that a policy says. */
export const places = (said: readonly string[]): string[] =>
  sorted(said.map((each) => each.replace(/ \(allowed: .*$/s, "")));
