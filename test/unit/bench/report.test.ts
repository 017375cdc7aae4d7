import assert from "node:assert/strict";
import { plot } from "../../../bench/plot";
import { ratiosOf } from "../../../bench/ratios";
import {
  type Report,
  growthRows,
  pledgeRows,
  policyRows,
  replaced,
  shown,
  sizeRows,
  written,
} from "../../../bench/report";
import type { Case, Result } from "../../../bench/results";

const result = (contender: string, what: Case, n: number, ...seconds: number[]): Result => ({
  contender,
  case: what,
  n,
  seconds,
  peakBytes: 5e6,
  cpu: seconds.map((each) => ({ [contender]: each / 2 })),
});

const results: readonly Result[] = [
  ...[30, 100, 300].flatMap((n) => [
    result("kubectl", "first", n, n / 100),
    result("kubectl", "previewNoop", n, n / 100),
    result("ours", "first", n, n / 50, n / 50, n / 40),
  ]),
  result("ours", "previewNoop", 300, 4),
  result("ours", "previewNoopPack", 300, 6),
  result("kyverno", "check", 300, 8),
];

const report: Report = {
  machine: { cpu: "a processor", cpus: 2, memoryGiB: 24, system: "Linux", node: "20.0.0", load: "0.1" },
  trials: 3,
  contenders: [
    { name: "ours", what: "our way", version: "1" },
    { name: "tofu", what: "", absent: "it cannot be built" },
  ],
  ratios: ratiosOf(results),
  results,
};

describe("bench: report", () => {
  it("tells multiples of kubectl with their spread, a preview with a pack to its diff", () => {
    assert.deepEqual(sizeRows(report, 300, ["first", "previewNoopPack", "destroy"]), [
      ["kubectl", "1.0× ±0 %", "–", "–"],
      ["ours", "2.0× ±0 %", "2.0× ±0 %", "–"],
    ]);
  });

  it("says of each promise whether it holds, is missed or was not measured", () => {
    const rows = new Map(pledgeRows(report).map(([name, , , value, said]) => [name, [value, said]]));
    assert.deepEqual(rows.get("upFirstVsKubectlApply300"), ["2.00", "holds"]);
    assert.deepEqual(rows.get("plainVsOursUpFirst300"), ["–", "not measured"]);
    const slow = { ...report, ratios: { ...report.ratios, upFirstVsKubectlApply300: 4 } };
    assert.ok(pledgeRows(slow).some((row) => row.includes("4.00") && row.includes("**missed**")));
  });

  it("shows a straight growth as linear", () => {
    const row = growthRows(report, ["first"]).find(([contender]) => contender === "kubectl");
    assert.deepEqual(row?.slice(0, 3), ["kubectl", "first", "300"]);
    assert.equal(row?.[4], "100 %");
  });

  it("sets other policy tools beside what the pack adds", () => {
    assert.deepEqual(policyRows(report, 300), [["kyverno", "300", "4.0×"]]);
  });

  it("names who was not measured, and why", () => {
    assert.match(shown(report, ["first"]), /not measured: tofu: it cannot be built/);
    assert.match(written(report, []), /\| tofu \| – \| not measured: it cannot be built \|/);
  });

  it("writes no seconds into the document", () => {
    assert.doesNotMatch(written(report, []), /\d s\b/);
  });

  it("replaces what stands between the marks alone", () => {
    const [begin, end] = ["<!-- measured: npm run bench -- --write -->", "<!-- end of what was measured -->"];
    assert.equal(replaced(`a\n${begin}\nold\n${end}\nb\n`, "new"), `a\n${begin}\n\nnew\n\n${end}\nb\n`);
    assert.throws(() => replaced("nothing", "new"), /performance\.md lacks the lines/);
  });

  it("draws a line for each contender, its names apart and its text safe", () => {
    const points = [
      { n: 30, value: 2 },
      { n: 300, value: 4 },
    ];
    const svg = plot("a < b", "objects", [
      { name: "ours", points },
      { name: "theirs", points },
    ]);
    assert.match(svg, /^<svg /);
    assert.match(svg, /a &lt; b/);
    const heights = [...svg.matchAll(/y="([\d.]+)"[^>]*>(ours|theirs)</g)].map(([, height]) => Number(height));
    assert.equal(heights.length, 2);
    assert.ok(Math.abs((heights[0] ?? 0) - (heights[1] ?? 0)) >= 12);
    assert.throws(() => plot("none", "objects", []), /has no points/);
  });
});
