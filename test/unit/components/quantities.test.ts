import assert from "node:assert/strict";
import fc from "fast-check";
import { bytes, cores } from "../../../components/lib/quantities";

describe("quantities", () => {
  it("gives the bytes of sizes with a binary unit", () => {
    assert.deepEqual(["1Ki", "1.5Mi", "2Gi", "1Ti"].map(bytes), [1024, 1.5 * 2 ** 20, 2 ** 31, 2 ** 40]);
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
