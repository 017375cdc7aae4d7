/** Seconds as they were measured. */
export type Samples = readonly number[];

export function median(samples: Samples): number {
  if (samples.length === 0) throw new Error("the median of nothing was asked for");
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Median absolute deviation, as a share of the median: one run that was disturbed does not show in it. */
export function spread(samples: Samples): number {
  const centre = median(samples);
  return centre === 0 ? 0 : median(samples.map((sample) => Math.abs(sample - centre))) / centre;
}

export interface Point {
  readonly n: number;
  readonly seconds: number;
}

/** t(N) = a + bN + cN². */
export interface Growth {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Least squares of the relative errors, because the noise of a time grows with it. Needs three different sizes. */
export function fitGrowth(points: readonly Point[]): Growth | undefined {
  const usable = points.filter(({ seconds }) => seconds > 0);
  if (new Set(usable.map(({ n }) => n)).size < 3) return undefined;
  const scale = Math.max(...usable.map(({ n }) => n));
  const matrix = [0, 1, 2].map((row) => [
    ...[0, 1, 2].map((column) =>
      usable.reduce((sum, { n, seconds }) => sum + (n / scale) ** (row + column) / seconds ** 2, 0),
    ),
    usable.reduce((sum, { n, seconds }) => sum + (n / scale) ** row / seconds, 0),
  ]);
  const [a = NaN, b = NaN, c = NaN] = solve(matrix);
  return { a, b: b / scale, c: c / scale ** 2 };
}

/** Gauss with pivots; each row holds its right side last. */
function solve(rows: readonly (readonly number[])[]): number[] {
  const work = rows.map((row) => [...row]);
  const size = work.length;
  for (let column = 0; column < size; column++) {
    const rest = work.slice(column).map((row) => Math.abs(row[column] ?? 0));
    const pivot = column + rest.indexOf(Math.max(...rest));
    [work[column], work[pivot]] = [work[pivot] ?? [], work[column] ?? []];
    const head = work[column] ?? [];
    for (const row of work) {
      if (row === head) continue;
      const factor = (row[column] ?? 0) / (head[column] ?? NaN);
      for (let at = column; at <= size; at++) row[at] = (row[at] ?? 0) - factor * (head[at] ?? 0);
    }
  }
  return work.map((row, index) => (row[size] ?? NaN) / (row[index] ?? NaN));
}
