import * as fs from "node:fs";
import * as path from "node:path";
import { plot } from "./plot";
import { type Report, replaced, toKubectl, written } from "./report";
import type { Case } from "./results";

const PLOTS: readonly { readonly case: Case; readonly file: string; readonly title: string }[] = [
  { case: "first", file: "performance-first.svg", title: "First up or apply, as a multiple of kubectl apply" },
  {
    case: "previewNoopPack",
    file: "performance-preview.svg",
    title: "Preview with the pack, nothing changed, as a multiple of kubectl diff",
  },
  { case: "noop", file: "performance-noop.svg", title: "Up or apply, nothing changed, as a multiple of kubectl apply" },
];

/** Writes what was measured into docs/performance.md, and its plots beside it. */
export function writeDocument(root: string, report: Report): string[] {
  const document = path.join(root, "docs", "performance.md");
  const drawn = PLOTS.flatMap(({ case: what, file, title }) => {
    const names = [...new Set(report.results.map(({ contender }) => contender))];
    const series = names
      .map((name) => ({ name, points: pointsOf(report, name, what) }))
      .filter(({ points }) => points.length > 0);
    return series.length === 0 ? [] : [{ file: `images/${file}`, title, svg: plot(title, "objects", series) }];
  });
  const files = drawn.map(({ file, svg }) => {
    const target = path.join(root, "docs", file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, svg);
    return target;
  });
  fs.writeFileSync(document, replaced(fs.readFileSync(document, "utf8"), written(report, drawn)));
  return [document, ...files];
}

const pointsOf = ({ results }: Report, name: string, what: Case): { n: number; value: number }[] =>
  results
    .filter(({ contender, case: found, n }) => contender === name && n > 0 && seenAs(found, what, name))
    .flatMap(({ n, case: found }) => {
      const value = toKubectl(results, name, found, n);
      return value === undefined ? [] : [{ n, value }];
    })
    .sort((a, b) => a.n - b.n);

/** Tools without a pack stand in the plot of previews with their only one. */
const seenAs = (found: Case, wanted: Case, name: string): boolean =>
  found === wanted || (wanted === "previewNoopPack" && found === "previewNoop" && name !== "ours" && name !== "plain");
