import type { Options } from "../rules/options";

/** An expression in CEL, which the API server evaluates. */
export type Cel = string;

/** What a rule looks at: the templates of pods, or objects of other kinds. */
export type Subject = "pods" | "objects";

/** A rule as the API server holds it. */
export interface AdmissionRule {
  readonly subject: Subject;
  /** Gives the places that break the rule as a list of texts; undefined where these options ask for nothing. */
  readonly places: (options: Options) => Cel | undefined;
  /** What may stand there. */
  readonly allowed: string | ((options: Options) => string);
}

export const text = (value: string): Cel => JSON.stringify(value);
export const list = (values: readonly string[]): Cel => JSON.stringify(values);

/** A field that need not be there: `get("c", "ports", "[]")`. */
export const get = (from: Cel, path: string, otherwise: Cel): Cel => `${optional(from, path)}.orValue(${otherwise})`;
export const isSet = (from: Cel, path: string): Cel => `${optional(from, path)}.hasValue()`;
const optional = (from: Cel, path: string): Cel => [from, ...path.split(".")].join(".?");

export const concat = (parts: readonly Cel[]): Cel => parts.join(" + ");
export const any = (parts: readonly Cel[]): Cel => parts.map((part) => `(${part})`).join(" || ");

/** One place, if it is broken. */
export const placeIf = (broken: Cel, place: string): Cel => `(${broken} ? [${text(place)}] : [])`;

/** Entries of a list, each with a name of its own: `container "web": ports`. */
export const placesIn = (entries: Cel, each: string, what: string, broken: Cel, place: string): Cel =>
  `${entries}.filter(${each}, ${broken}).map(${each}, ${text(`${what} "`)} + ${each}.name + ${text(`": ${place}`)})`;

export const SPEC = "variables.spec";
export const POD = "variables.template";

/** Of every container, `c` in the expression. */
export const inContainers = (broken: Cel, place: string): Cel =>
  placesIn("variables.containers", "c", "container", broken, place);
/** Of those that are there from the start. */
export const inSteady = (broken: Cel, place: string): Cel =>
  placesIn("variables.steady", "c", "container", broken, place);

/** The pod's own setting, and that of each container. */
export const inContexts = (broken: (from: Cel) => Cel, place: string): Cel =>
  concat([placeIf(broken(SPEC), place), inContainers(broken("c"), place)]);

export const pods = (
  allowed: AdmissionRule["allowed"],
  places: (options: Options) => Cel | undefined,
): AdmissionRule => ({ subject: "pods", allowed, places });

export const objects = (
  allowed: AdmissionRule["allowed"],
  places: (options: Options) => Cel | undefined,
): AdmissionRule => ({ subject: "objects", allowed, places });
