/** Compares dotted numeric versions; a missing part counts as zero, so 1.6 equals 1.6.0. */
export function compareVersions(left: string, right: string): number {
  const parts = (version: string): number[] => (version.match(/\d+/g) ?? []).map(Number);
  const [a, b] = [parts(left), parts(right)];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

const COMPARATOR = /^(>=|<=|>|<|=)?(\d+(?:\.\d+)*)$/;

/** Whether a version fits a range such as ">=3.220 <4": every comparator, separated by spaces, has to hold. */
export function fits(version: string, range: string): boolean {
  return range.split(/\s+/).every((part) => {
    const match = COMPARATOR.exec(part);
    if (!match) throw new Error(`version range "${range}": "${part}" is not a comparator such as >=1.2 or <2`);
    const order = compareVersions(version, match[2] ?? "");
    switch (match[1] ?? "=") {
      case ">=":
        return order >= 0;
      case "<=":
        return order <= 0;
      case ">":
        return order > 0;
      case "<":
        return order < 0;
      default:
        return order === 0;
    }
  });
}
