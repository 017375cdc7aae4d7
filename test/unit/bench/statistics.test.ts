import assert from "node:assert/strict";
import fc from "fast-check";
import { fitGrowth, median, spread } from "../../../bench/statistics";

describe("bench: statistics", () => {
  it("takes the middle sample, or the mean of the two in the middle", () => {
    assert.equal(median([9, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 9]), 3);
  });

  it("refuses the median of nothing", () => {
    assert.throws(() => median([]), /median of nothing/);
  });

  it("says how far the samples lie apart, untouched by one that was disturbed", () => {
    assert.equal(spread([10, 10, 10]), 0);
    assert.equal(spread([9, 10, 11]), 0.1);
    assert.equal(spread([9, 10, 11, 10, 500]), 0.1);
  });

  it("finds the growth that made the points", () => {
    const coefficient = fc.double({ min: 0.01, max: 10, noNaN: true });
    fc.assert(
      fc.property(coefficient, coefficient, coefficient, (a, b, c) => {
        const sizes = [30, 100, 300, 1000];
        const growth = fitGrowth(sizes.map((n) => ({ n, seconds: a + (b / 100) * n + (c / 1e5) * n * n })));
        assert.ok(growth);
        for (const [found, wanted] of [
          [growth.a, a],
          [growth.b, b / 100],
          [growth.c, c / 1e5],
        ] as const)
          assert.ok(Math.abs(found - wanted) < 1e-6 * Math.max(a, 1), `${found} is not ${wanted}`);
      }),
    );
  });

  it("has no growth to tell from two sizes", () => {
    const points = [30, 30, 100].map((n) => ({ n, seconds: n }));
    assert.equal(fitGrowth(points), undefined);
  });
});
