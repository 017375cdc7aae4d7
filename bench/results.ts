import { type Samples, median } from "./statistics";

/** What is done, as one word. `previewNoop` stands for whatever a tool has to show that nothing would change. */
export const CASES = [
  "first",
  "previewNoop",
  "previewNoopPack",
  "previewOne",
  "noop",
  "one",
  "tenth",
  "prune",
  "refresh",
  "destroy",
  "check",
] as const;
export type Case = (typeof CASES)[number];

export interface Result {
  readonly contender: string;
  readonly case: Case;
  readonly n: number;
  readonly seconds: readonly number[];
  /** Sum over its processes of the most memory that each ever had, in bytes: the highest of all trials. */
  readonly peakBytes: number;
  /** Processor time of each trial, by program; the server's own is not in it. */
  readonly cpu: readonly Readonly<Record<string, number>>[];
}

const sum = (parts: Readonly<Record<string, number>>): number =>
  Object.values(parts).reduce((all, part) => all + part, 0);

export function cpuOf(results: readonly Result[], contender: string, what: Case, n: number): number | undefined {
  const found = results.find((result) => result.contender === contender && result.case === what && result.n === n);
  return found && found.cpu.length > 0 ? median(found.cpu.map(sum)) : undefined;
}

/** Each program's share of a case's processor time. */
export function cpuShares(
  results: readonly Result[],
  contender: string,
  what: Case,
  n: number,
): Record<string, number> {
  const trials = results.find(
    (result) => result.contender === contender && result.case === what && result.n === n,
  )?.cpu;
  const total = (trials ?? []).map(sum).reduce((all, each) => all + each, 0);
  const names = [...new Set((trials ?? []).flatMap((parts) => Object.keys(parts)))];
  const of = (name: string): number => (trials ?? []).reduce((all, parts) => all + (parts[name] ?? 0), 0);
  return total === 0 ? {} : Object.fromEntries(names.map((name) => [name, of(name) / total]));
}

export function samplesOf(results: readonly Result[], contender: string, what: Case, n: number): Samples | undefined {
  return results.find((result) => result.contender === contender && result.case === what && result.n === n)?.seconds;
}

export function medianOf(results: readonly Result[], contender: string, what: Case, n: number): number | undefined {
  const samples = samplesOf(results, contender, what, n);
  return samples && samples.length > 0 ? median(samples) : undefined;
}
