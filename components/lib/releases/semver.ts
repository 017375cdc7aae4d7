/** A version as Semantic Versioning 2.0 writes it. What follows a plus says nothing about its rank. */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*))?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/;

export const isSemver = (text: unknown): text is string => typeof text === "string" && SEMVER.test(text);

interface Parts {
  readonly numbers: readonly number[];
  readonly before: readonly string[];
}

function partsOf(version: string): Parts {
  const [, major, minor, patch, before] = SEMVER.exec(version) ?? [];
  if (major === undefined) throw new Error(`"${version}" is no semantic version, such as 1.4.0`);
  return { numbers: [major, minor, patch].map(Number), before: before?.split(".") ?? [] };
}

/** Below zero where `one` is lower than `other`. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)];
  const numbers = a.numbers.map((each, index) => each - (b.numbers[index] ?? 0)).find((each) => each !== 0);
  return numbers ?? compareBefore(a.before, b.before);
}

/** What comes before a release is lower than it; of two such, the first part that differs decides, and else the length. */
function compareBefore(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (const [index, one] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (one === other) continue;
    const [isNumber, isOtherNumber] = [one, other].map((each) => /^\d+$/.test(each));
    if (isNumber && isOtherNumber) return Number(one) - Number(other);
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return a.length - b.length;
}
