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
  /** The value is only known after deployment, so the rule could not decide. */
  readonly undecidable?: true;
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
}

export function formatObject(object: ObjectRef): string {
  return `${object.kind} ${object.namespace === undefined ? "" : `${object.namespace}/`}${object.name}`;
}

export function formatFinding(finding: Finding): string {
  const container = finding.container === undefined ? "" : `, container "${finding.container}"`;
  const why = [
    `allowed: ${finding.allowed}`,
    ...(finding.controls.length > 0 ? [finding.controls.join(", ")] : []),
  ].join("; ");
  const note = finding.note === undefined ? "" : ` [${finding.note}]`;
  return (
    `[${finding.rule}] ${formatObject(finding.object)}${container}: ` +
    `${finding.path} ${finding.found} → ${finding.fix} (${why})${note}`
  );
}
