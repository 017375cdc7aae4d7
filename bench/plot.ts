/** One line of a plot: what a contender is called, and its value for each number of objects. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly n: number; readonly value: number }[];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 360, 56, 130, 40, 44];
const COLOURS = ["#0b6e4f", "#b4232c", "#1f5fa8", "#8a5a00", "#6b3fa0", "#00798c", "#c2185b", "#4a4a4a"];

/** Both axes are logarithmic: a straight line is a power of N. */
export function plot(title: string, axis: string, series: readonly Series[]): string {
  const points = series.flatMap((each) => each.points);
  if (points.length === 0) throw new Error(`the plot "${title}" has no points`);
  const sizes = [...new Set(points.map(({ n }) => n))].sort((a, b) => a - b);
  const x = scale(Math.min(...sizes), Math.max(...sizes), LEFT, WIDTH - RIGHT);
  const values = points.map(({ value }) => value);
  const [low, high] = [Math.min(...values, 1), Math.max(...values, 2)];
  const y = scale(low, high, HEIGHT - BOTTOM, TOP);
  const label = (at: number, height: number, text: string, anchor: string, colour = "#333"): string =>
    `<text x="${round(at)}" y="${round(height)}" text-anchor="${anchor}" fill="${colour}">${escaped(text)}</text>`;
  const line = (from: string, to: string, colour: string): string =>
    `<path d="M${from}L${to}" stroke="${colour}" fill="none"/>`;
  const across = ticks(low, high).flatMap((value) => [
    line(`${LEFT} ${round(y(value))}`, `${WIDTH - RIGHT} ${round(y(value))}`, "#ddd"),
    label(LEFT - 8, y(value) + 4, `${value}×`, "end"),
  ]);
  const up = sizes.flatMap((n) => [
    line(`${round(x(n))} ${TOP}`, `${round(x(n))} ${HEIGHT - BOTTOM}`, "#eee"),
    label(x(n), HEIGHT - BOTTOM + 18, String(n), "middle"),
  ]);
  const names = apart(series.map(({ points: own }) => y(own.at(-1)?.value ?? low)));
  const lines = series.flatMap(({ name, points: own }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? "#333";
    const path = own.map(({ n, value }) => `${round(x(n))} ${round(y(value))}`).join("L");
    const dots = own.map(
      ({ n, value }) => `<circle cx="${round(x(n))}" cy="${round(y(value))}" r="3" fill="${colour}"/>`,
    );
    const stroke = own.length > 1 ? [`<path d="M${path}" stroke="${colour}" stroke-width="2" fill="none"/>`] : [];
    return [...stroke, ...dots, label(WIDTH - RIGHT + 10, (names[index] ?? 0) + 4, name, "start", colour)];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    label(LEFT, 22, title, "start", "#111"),
    label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, axis, "middle"),
    ...across,
    ...up,
    ...lines,
    "</svg>\n",
  ].join("\n");
}

const round = (value: number): string => String(Math.round(value * 10) / 10);

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

function scale(low: number, high: number, from: number, to: number): (value: number) => number {
  const span = Math.log(high / low) || 1;
  return (value) => from + ((to - from) * Math.log(value / low)) / span;
}

/** 1, 2 and 5 of each power of ten within the range. */
function ticks(low: number, high: number): number[] {
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const step of [1, 2, 5]) found.push(Number((step * 10 ** power).toPrecision(1)));
  return found.filter((value) => value >= low && value <= high);
}

const LINE_HEIGHT = 14;

/** Names beside lines that end at the same height stand below each other. */
function apart(heights: readonly number[]): number[] {
  const placed = [...heights];
  let last = -Infinity;
  for (const index of heights.map((_, at) => at).sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0))) {
    last = Math.max(placed[index] ?? 0, last + LINE_HEIGHT);
    placed[index] = last;
  }
  return placed;
}
