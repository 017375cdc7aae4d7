import assert from "node:assert/strict";
import { PLEDGES, holds, ratiosOf } from "../../../bench/ratios";
import { type Case, type Result, cpuOf, cpuShares } from "../../../bench/results";

const result = (contender: string, what: Case, n: number, ...seconds: number[]): Result => ({
  contender,
  case: what,
  n,
  seconds,
  peakBytes: 0,
  cpu: [],
});

const RESULTS: readonly Result[] = [
  result("kubectl", "first", 300, 2, 2.5, 3),
  result("kubectl", "previewNoop", 300, 2),
  result("ours", "first", 300, 5),
  result("ours", "first", 1000, 20),
  result("ours", "noop", 300, 6),
  result("ours", "noop", 1000, 18),
  result("ours", "previewNoop", 300, 4),
  result("ours", "previewNoopPack", 300, 4.7),
  result("ours", "previewNoop", 0, 2),
  result("ours", "previewNoopPack", 0, 2.5),
  result("oursFast", "first", 300, 3),
  result("plain", "first", 300, 25),
  result("plain", "previewNoopPack", 300, 14.1),
];

describe("bench: ratios", () => {
  it("divides the medians of one run", () => {
    const ratios = ratiosOf(RESULTS);
    assert.deepEqual(Object.keys(ratios), [
      "previewNoopPackVsKubectlDiff300",
      "upFirstVsKubectlApply300",
      "upFirstFastVsKubectlApply300",
      "upNoopVsKubectlDiff300",
      "packOverhead300",
      "growthUpNoop1000to300",
      "growthUpFirst1000to300",
      "plainVsOursUpFirst300",
      "plainVsOursPreviewPack300",
    ]);
    assert.equal(ratios.upFirstVsKubectlApply300, 2);
    assert.equal(ratios.upFirstFastVsKubectlApply300, 1.2);
    assert.equal(ratios.upNoopVsKubectlDiff300, 3);
    assert.equal(ratios.growthUpNoop1000to300, 3);
    assert.equal(ratios.growthUpFirst1000to300, 4);
    assert.equal(ratios.plainVsOursUpFirst300, 5);
    assert.equal(ratios.plainVsOursPreviewPack300?.toFixed(6), "3.000000");
  });

  it("counts of the pack what it adds to the objects, not its start", () => {
    assert.equal(ratiosOf(RESULTS).packOverhead300?.toFixed(6), "0.050000");
  });

  it("says null where the run did not measure what a ratio takes", () => {
    const without = RESULTS.filter(({ contender, n }) => contender !== "kubectl" && n !== 0);
    assert.equal(ratiosOf(without).upFirstVsKubectlApply300, null);
    assert.equal(ratiosOf(without).packOverhead300, null);
    assert.equal(ratiosOf(without).growthUpNoop1000to300, 3);
  });

  it("holds within its limit, which is a most or a least", () => {
    const of = (name: string) => PLEDGES.find((pledge) => pledge.name === name) ?? assert.fail(name);
    assert.equal(holds(of("upFirstVsKubectlApply300"), 3.5), true);
    assert.equal(holds(of("upFirstVsKubectlApply300"), 3.6), false);
    assert.equal(holds(of("plainVsOursUpFirst300"), 3), true);
    assert.equal(holds(of("plainVsOursUpFirst300"), 2.9), false);
  });

  it("adds the processor time of a trial's programs, and tells their shares", () => {
    const cpu: Result["cpu"] = [{ pulumi: 1, node: 2 }, { pulumi: 3 }];
    const results = [{ ...result("ours", "noop", 30), cpu }];
    assert.equal(cpuOf(results, "ours", "noop", 30), 3);
    assert.deepEqual(cpuShares(results, "ours", "noop", 30), { pulumi: 4 / 6, node: 2 / 6 });
    assert.deepEqual(cpuShares(results, "ours", "first", 30), {});
  });
});
