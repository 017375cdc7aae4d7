import { type Located, quote, UNKNOWN } from "./manifest";
import { linesToAdd } from "./remedy";

export const LEVELS = ["mandatory", "advisory", "disabled"] as const;
export type Level = (typeof LEVELS)[number];

export interface ObjectRef {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** What a predicate reports: one field, what is there, what may be there, what to write. */
export interface Fault {
  readonly container?: string;
  readonly path: string;
  /** Completes "<path> …": "is not set". */
  readonly found: string;
  readonly allowed: string;
  readonly fix: string;
  /** What to write at the path, where one value mends it. */
  readonly set?: unknown;
  /** The public checks that this fault breaks, where its rule stands for several. */
  readonly controls?: readonly string[];
  /** Worth a word, never a refusal. */
  readonly soft?: true;
  /** The value is only known after deployment, so the rule could not decide. */
  readonly undecidable?: true;
}

export type Words = Pick<Fault, "allowed" | "fix"> & Partial<Pick<Fault, "container" | "found" | "set" | "controls">>;

const PIN = "set it to a value that is known at preview";

/** The fault of one field. Where the value is unknown, it says so instead. */
export function faultAt(field: Located, { container, ...words }: Words): Fault {
  const named = container === undefined ? {} : { container };
  const found = words.found ?? `is ${quote(field.value)}`;
  if (field.value !== UNKNOWN) return { ...named, path: field.path, ...words, found };
  const { allowed, controls } = words;
  const broken = controls === undefined ? {} : { controls };
  return { ...named, path: field.path, found: `is ${quote(UNKNOWN)}`, allowed, fix: PIN, ...broken, undecidable: true };
}

/** Not set is as good as allowed. */
export function unlessAllowed(field: Located, allowed: (value: unknown) => boolean, words: Words): Fault[] {
  const { value } = field;
  const fine = value === undefined || value === null || (value !== UNKNOWN && allowed(value));
  return fine ? [] : [faultAt(field, words)];
}

/** Several lookups can end in the same unknown parent, which is worth one report. */
export function onePerPath(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [fault.path, fault])).values()];
}

export interface Finding extends Fault {
  readonly rule: string;
  readonly level: Exclude<Level, "disabled">;
  readonly object: ObjectRef;
  readonly controls: readonly string[];
  /** What a reader must know besides, such as an exemption that has run out. */
  readonly note?: string;
  /** No exemption can help. */
  readonly unwaivable?: true;
}

export function formatObject(object: ObjectRef): string {
  return `${object.kind} ${object.namespace === undefined ? "" : `${object.namespace}/`}${object.name}`;
}

/** Which rule is broken where, and by what. */
export function formatBreach({ rule, object, container, path, found }: Finding): string {
  return `[${rule}] ${formatObject(object)}${container === undefined ? "" : `, container "${container}"`}: ${path} ${found}`;
}

/** The whole lesson: where, what, what instead, the lines to write, whose rule it is, and how to be let off. */
export function formatFinding(finding: Finding): string {
  const why = [
    `allowed: ${finding.allowed}`,
    ...(finding.controls.length > 0 ? [finding.controls.join(", ")] : []),
  ].join("; ");
  const note = finding.note === undefined ? "" : ` [${finding.note}]`;
  const lines = [
    `${formatBreach(finding)} → ${finding.fix} (${why})${note}`,
    ...(finding.set === undefined ? [] : linesToAdd(finding.path, finding.set)),
    ...(finding.unwaivable ? [] : [`exempt by an entry for "${finding.rule}" in policy/exemptions.ts`]),
  ];
  return lines.join("\n    ");
}
