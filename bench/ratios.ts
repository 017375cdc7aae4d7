import { type Case, type Result, medianOf } from "./results";

/** What the project promises about its speed: one median of a run divided by another of the same run. */
export interface Pledge {
  readonly name: string;
  readonly says: string;
  readonly limit: { readonly most?: number; readonly least?: number };
  readonly value: (results: readonly Result[]) => number | undefined;
}

type Measured = readonly [contender: string, what: Case, n: number];

const quotient =
  (above: Measured, below: Measured) =>
  (results: readonly Result[]): number | undefined => {
    const [over, under] = [medianOf(results, ...above), medianOf(results, ...below)];
    return over === undefined || !under ? undefined : over / under;
  };

/** What the pack adds to each object; its start, which an empty program shows, is apart. */
function packOverhead(results: readonly Result[]): number | undefined {
  const [withPack, without, startWith, start] = [
    medianOf(results, "ours", "previewNoopPack", 300),
    medianOf(results, "ours", "previewNoop", 300),
    medianOf(results, "ours", "previewNoopPack", 0),
    medianOf(results, "ours", "previewNoop", 0),
  ];
  if (withPack === undefined || !without || startWith === undefined || start === undefined) return undefined;
  return (withPack - without - (startWith - start)) / without;
}

export const PLEDGES: readonly Pledge[] = [
  {
    name: "previewNoopPackVsKubectlDiff300",
    says: "preview with the pack, nothing changed, to kubectl diff",
    limit: { most: 2 },
    value: quotient(["ours", "previewNoopPack", 300], ["kubectl", "previewNoop", 300]),
  },
  {
    name: "upFirstVsKubectlApply300",
    says: "first up, with checkpoints, to kubectl apply",
    limit: { most: 3.5 },
    value: quotient(["ours", "first", 300], ["kubectl", "first", 300]),
  },
  {
    name: "upFirstFastVsKubectlApply300",
    says: "first up, checkpoints skipped, to kubectl apply",
    limit: { most: 2.5 },
    value: quotient(["oursFast", "first", 300], ["kubectl", "first", 300]),
  },
  {
    name: "upNoopVsKubectlDiff300",
    says: "up with nothing changed to kubectl diff",
    limit: { most: 2 },
    value: quotient(["ours", "noop", 300], ["kubectl", "previewNoop", 300]),
  },
  {
    name: "packOverhead300",
    says: "what the pack adds to a preview, its start apart, as a share of the preview",
    limit: { most: 0.05 },
    value: packOverhead,
  },
  {
    name: "growthUpNoop1000to300",
    says: "up with nothing changed, 1000 objects to 300",
    limit: { most: 3.6 },
    value: quotient(["ours", "noop", 1000], ["ours", "noop", 300]),
  },
  {
    name: "growthUpFirst1000to300",
    says: "first up, 1000 objects to 300",
    limit: { most: 3.6 },
    value: quotient(["ours", "first", 1000], ["ours", "first", 300]),
  },
  {
    name: "plainVsOursUpFirst300",
    says: "first up of a plain Pulumi program to ours",
    limit: { least: 3 },
    value: quotient(["plain", "first", 300], ["ours", "first", 300]),
  },
  {
    name: "plainVsOursPreviewPack300",
    says: "preview with a pack of a plain Pulumi program to ours",
    limit: { least: 3 },
    value: quotient(["plain", "previewNoopPack", 300], ["ours", "previewNoopPack", 300]),
  },
];

/** By name; null where this run did not measure what it takes. */
export const ratiosOf = (results: readonly Result[]): Record<string, number | null> =>
  Object.fromEntries(PLEDGES.map(({ name, value }) => [name, value(results) ?? null]));

export function holds({ limit }: Pledge, value: number): boolean {
  return value <= (limit.most ?? Infinity) && value >= (limit.least ?? -Infinity);
}
