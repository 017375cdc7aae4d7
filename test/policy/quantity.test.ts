import assert from "node:assert/strict";
import fc from "fast-check";
import { parseQuantity } from "../../policy/rules/quantity";

const ONE = 1_000_000_000n;

describe("parseQuantity", () => {
  const table: [unknown, bigint | undefined][] = [
    ["1", ONE],
    [1, ONE],
    [0.5, ONE / 2n],
    ["500m", ONE / 2n],
    [".5", ONE / 2n],
    ["1.", ONE],
    ["+1", ONE],
    ["-1", -ONE],
    ["1n", 1n],
    ["1u", 1000n],
    ["0.1n", 1n],
    ["1k", 1000n * ONE],
    ["1Ki", 1024n * ONE],
    ["1.5Gi", 1536n * 1024n * 1024n * ONE],
    ["1E", 10n ** 18n * ONE],
    ["1e3", 1000n * ONE],
    ["1E3", 1000n * ONE],
    ["1e-3", ONE / 1000n],
    ["1Ei", 2n ** 60n * ONE],
    ["", undefined],
    ["1K", undefined],
    ["1 Gi", undefined],
    ["Gi", undefined],
    [".", undefined],
    ["1e999999999", undefined],
    ["1".repeat(100), undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [null, undefined],
    [{}, undefined],
  ];
  for (const [written, expected] of table) {
    const shown = String(JSON.stringify(written)).slice(0, 20);
    it(`reads ${shown} as ${expected === undefined ? "no quantity" : `${expected} billionths`}`, () => {
      assert.equal(parseQuantity(written), expected);
    });
  }

  it("orders decimal texts as their numbers", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (one, other) => {
        const [a, b] = [parseQuantity(`${one}m`) ?? 0n, parseQuantity(`${other}m`) ?? 0n];
        return one < other === a < b;
      }),
    );
  });
});
