import assert from "node:assert/strict";
import fc from "fast-check";
import { bytes, controllerDuration, cores, parseQuantity } from "../../../components/lib/quantities";

describe("quantities", () => {
  it("gives the bytes of sizes with a binary unit", () => {
    assert.deepEqual(["1Ki", "1.5Mi", "2Gi", "1Ti"].map(bytes), [1024, 1.5 * 2 ** 20, 2 ** 31, 2 ** 40]);
  });

  it("writes times as the controllers do", () => {
    const times = ["30s", "90s", "1m", "5m", "120m", "1h", "2160h"].map(controllerDuration);
    assert.deepEqual(times, ["30s", "1m30s", "1m0s", "5m0s", "2h0m0s", "1h0m0s", "2160h0m0s"]);
    for (const text of ["", "soon", "1d", "1.5h", "-1m"]) assert.throws(() => controllerDuration(text), /is no time/);
  });

  it("takes nothing else for a size", () => {
    for (const text of ["", "1", "1G", "Gi", "-1Gi", "1 Gi", "1gi", "1Gi ", ".5Gi", "1e3Mi", "1GiB"])
      assert.equal(bytes(text), undefined, text);
  });

  it("gives the cores of CPU quantities", () => {
    assert.deepEqual(["8", "0.5", "500m", "1500m"].map(cores), [8, 0.5, 0.5, 1.5]);
  });

  it("takes nothing else for CPU", () => {
    for (const text of ["", "m", "1 m", "-1", "1k", "1Mi", "1M", ".5"]) assert.equal(cores(text), undefined, text);
  });

  it("loses nothing of whole sizes", () => {
    const exponents = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n };
    fc.assert(
      fc.property(fc.nat(4096), fc.constantFrom(...Object.entries(exponents)), (count, [unit, exponent]) => {
        assert.equal(bytes(`${count}${unit}`), Number(BigInt(count) << exponent));
      }),
    );
  });
});

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
