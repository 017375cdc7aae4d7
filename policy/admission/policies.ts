import { type FenceSpec, fence, written } from "../../components/lib/fence";
import { type Exemption, fits, lastMoment } from "../exemption";
import { isHeld, type Judgement } from "../judge";
import { ADMISSION } from "./index";
import { LEVELS_HELD, type LevelHeld, roleOf, SUBJECTS } from "./names";
import { type AdmissionRule, any, type Cel, concat, get, list, type Subject, text } from "./cel";
import { APPARMOR } from "../rules/podSecurity/confinement";
import { OBJECT_RULES } from "../rules/objectRules";
import { POD_KINDS } from "../rules/podTemplate";
import type { ObjectRule } from "../rules/rule";

/**
 * What the program installs in the API server for one environment: two policies for each subject, one that refuses and one that
 * warns. Each asks all its rules in one evaluation, and its one message names everything that is broken.
 */
export interface AdmissionPolicy {
  /** Ends the object's name: "pods", "objects-advisory". */
  readonly role: string;
  readonly spec: FenceSpec;
  readonly actions: readonly string[];
  /** Where it reads the time, if exemptions make that matter. */
  readonly paramRef?: typeof CLOCK;
}

const RESOURCES: Readonly<Record<Subject, ReturnType<typeof written>[]>> = {
  pods: [
    written("", "pods", "pods/ephemeralcontainers", "pods/resize", "podtemplates", "replicationcontrollers"),
    written("apps", "daemonsets", "deployments", "replicasets", "statefulsets"),
    written("batch", "cronjobs", "jobs"),
  ],
  objects: [
    written("", "namespaces", "services"),
    written("networking.k8s.io", "ingresses"),
    written("gateway.networking.k8s.io", "gateways"),
    written("rbac.authorization.k8s.io", "rolebindings", "roles"),
  ],
};

/** The kinds that a policy sees, as objects name them. */
export const KINDS: Readonly<Record<Subject, readonly string[]>> = {
  pods: POD_KINDS,
  objects: ["Namespace", "Service", "Ingress", "Gateway", "Role", "RoleBinding"],
};

/**
 * Kubernetes' own controllers make objects of a template that was judged when it was written. To judge what they make again
 * would stop a running service from being restarted on the day after an exemption.
 */
const CONTROLLERS = [
  "system:kube-controller-manager",
  ...["cronjob", "daemon-set", "deployment", "job", "replicaset", "replication", "statefulset"].map(
    (each) => `system:serviceaccount:kube-system:${each}-controller`,
  ),
];

const templateOf = (object: Cel): Cel =>
  `(${object}.kind == "Pod" ? dyn(${object}) : ${object}.kind == "PodTemplate" ? ${get(`dyn(${object})`, "template", "{}")} : ` +
  `${object}.kind == "CronJob" ? ${get(`dyn(${object})`, "spec.jobTemplate.spec.template", "{}")} : ${get(`dyn(${object})`, "spec.template", "{}")})`;
const specOf = (object: Cel): Cel => `${templateOf(object)}.?spec.orValue({})`;
const profilesOf = (object: Cel): Cel => `${templateOf(object)}.?metadata.?annotations.orValue({})`;

const field = (object: Cel, path: string): Cel => get(`dyn(${object})`, path, "null");
const differ = (path: string): Cel => `${field("object", path)} != ${field("oldObject", path)}`;

/**
 * What was written before its rule may be labelled, scaled and deleted, which takes a finalizer away: only what the rules look
 * at is judged, when it is new or another.
 */
const CHANGED: Readonly<Record<Subject, Cel>> = {
  pods: any([
    "oldObject == null",
    `${specOf("object")} != ${specOf("oldObject")}`,
    `${profilesOf("object")}.exists(k, k.startsWith(${text(APPARMOR)}) && ` +
      `${profilesOf("oldObject")}[?k].orValue("") != ${profilesOf("object")}[k])`,
  ]),
  objects: any([
    "oldObject == null",
    ...["spec", "rules", "roleRef", "subjects"].map(differ),
    `object.kind == "Namespace" && ${differ("metadata.labels")}`,
  ]),
};

const named = (name: string, expression: Cel): { name: string; expression: Cel } => ({ name, expression });

const VARIABLES: Readonly<Record<Subject, ReturnType<typeof named>[]>> = {
  pods: [
    named("template", templateOf("object")),
    named("spec", "variables.template.?spec.orValue({})"),
    named("volumes", get("variables.spec", "volumes", "[]")),
    named("steady", concat(["containers", "initContainers"].map((each) => get("variables.spec", each, "[]")))),
    named("containers", `variables.steady + ${get("variables.spec", "ephemeralContainers", "[]")}`),
  ],
  objects: [],
};

/**
 * CEL has no clock, but the API server keeps a lease of its own, which it renews every ten seconds. A policy with exemptions
 * reads the time there, and so an exemption ends on its last day, whether or not the stack is updated. Where an API server left
 * its lease behind, another's is later, and the latest decides: a request must pass with each.
 */
const CLOCK = {
  namespace: "kube-system",
  selector: { matchLabels: { "apiserver.kubernetes.io/identity": "kube-apiserver" } },
  parameterNotFoundAction: "Deny",
} as const;
const CLOCK_KIND = { apiVersion: "coordination.k8s.io/v1", kind: "Lease" };
const NOW = named("now", "timestamp(params.spec.renewTime)");

const anyOf = (glob: string): string => glob.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");

/** Whether an exemption covers the object and, where it names one, the container of the place `p`. */
function covers({ target, until }: Exemption): Cel {
  const last = new Date(lastMoment(until) ?? 0).toISOString();
  const fit = (value: Cel, glob: string | undefined): Cel[] =>
    glob === undefined ? [] : [`${value}.matches(${text(`^${anyOf(glob)}$`)})`];
  return [
    `variables.now < timestamp(${text(last)})`,
    ...fit("object.kind", target.kind),
    ...fit(get("object", "metadata.namespace", '""'), target.namespace),
    ...fit(get("object", "metadata.name", '""'), target.name),
    ...(target.container === undefined ? [] : [`p.matches(${text(`^container "${anyOf(target.container)}": `)})`]),
  ].join(" && ");
}

const variable = (id: string): string => id.replace(/-./g, (each) => each.charAt(1).toUpperCase());

interface Held {
  readonly rule: ObjectRule;
  readonly places: Cel;
  readonly allowed: string;
  readonly exemptions: readonly Exemption[];
}

function heldOf(subject: Subject, namespaces: readonly string[], judgement: Judgement): Held[] {
  const reaches = ({ target }: Exemption): boolean =>
    KINDS[subject].some((kind) => fits(target.kind, kind)) &&
    namespaces.some((each) => fits(target.namespace, each)) &&
    (target.kind !== "Namespace" || namespaces.some((each) => fits(target.name, each)));
  return OBJECT_RULES.flatMap((rule) => {
    const own: AdmissionRule | undefined = ADMISSION[rule.id];
    const places = own?.subject === subject && isHeld(rule, judgement) ? own.places(judgement.options) : undefined;
    if (own === undefined || places === undefined) return [];
    const allowed = typeof own.allowed === "string" ? own.allowed : own.allowed(judgement.options);
    const exemptions = judgement.exemptions.filter((each) => each.rule === rule.id && reaches(each));
    return [{ rule, places, allowed, exemptions }];
  });
}

const POINTER = "The rules are in docs/policies.md; exempt by an entry in policy/exemptions.ts.";

function policyOf(subject: Subject, level: LevelHeld, held: readonly Held[]): AdmissionPolicy {
  const timed = held.some(({ exemptions }) => exemptions.length > 0);
  const own = held.map(({ rule, places, exemptions }) =>
    named(
      variable(rule.id),
      exemptions.length === 0 ? places : `(${places}).filter(p, !(${any(exemptions.map(covers))}))`,
    ),
  );
  const words = held.map(({ rule, allowed }) => {
    const why = [`allowed: ${allowed}`, ...(rule.controls.length > 0 ? [rule.controls.join(", ")] : [])].join("; ");
    return `variables.${variable(rule.id)}.map(p, ${text(`[${rule.id}] `)} + p + ${text(` (${why})`)})`;
  });
  const spec = fence(RESOURCES[subject], {
    ...(timed ? { paramKind: CLOCK_KIND } : {}),
    matchConditions: [
      ...(subject === "pods"
        ? [named("by-no-controller", `!(request.userInfo.username in ${list(CONTROLLERS)})`)]
        : []),
      named("changed", CHANGED[subject]),
    ],
    variables: [...(timed ? [NOW] : []), ...VARIABLES[subject], ...own, named("findings", concat(words))],
    validations: [
      {
        expression: "size(variables.findings) == 0",
        messageExpression: `variables.findings.join("; ") + ${text(`. ${POINTER}`)}`,
        // Where there are too many to name.
        message: `Many rules are broken: ${held.map(({ rule }) => rule.id).join(", ")} are asked. ${POINTER}`,
        reason: "Forbidden",
      },
    ],
  });
  return {
    role: roleOf(subject, level),
    spec,
    actions: level === "mandatory" ? ["Deny"] : ["Warn", "Audit"],
    ...(timed ? { paramRef: CLOCK } : {}),
  };
}

/** All that are to be asked of objects in these namespaces. */
export function admissionPolicies(namespaces: readonly string[], judgement: Judgement): AdmissionPolicy[] {
  return SUBJECTS.flatMap((subject) => {
    const held = heldOf(subject, namespaces, judgement);
    return LEVELS_HELD.flatMap((level) => {
      const ofLevel = held.filter(({ rule }) => (judgement.levels[rule.id] ?? "mandatory") === level);
      return ofLevel.length === 0 ? [] : [policyOf(subject, level, ofLevel)];
    });
  });
}
