import assert from "node:assert/strict";
import { readOptions } from "../../../bench/options";

describe("bench: options", () => {
  it("measures everyone at every size five times", () => {
    const { sizes, trials, json, write } = readOptions([]);
    assert.deepEqual(
      sizes.map(({ n }) => n),
      [30, 100, 300, 1000],
    );
    assert.ok(sizes.every(({ contenders }) => contenders.includes("ours") && contenders.includes("helm")));
    assert.deepEqual([trials, json, write], [5, false, false]);
  });

  it("takes sizes with contenders of their own", () => {
    const { sizes } = readOptions(["--n", "30,1000:ours+kubectl", "--contenders", "ours,kubectl,helm"]);
    assert.deepEqual(sizes, [
      { n: 30, contenders: ["ours", "kubectl", "helm"] },
      { n: 1000, contenders: ["ours", "kubectl"] },
    ]);
  });

  it("is quick with thirty objects, once", () => {
    const { sizes, trials } = readOptions(["--quick"]);
    assert.deepEqual([sizes.map(({ n }) => n), trials], [[30], 1]);
  });

  it("names every fault at once, with what is allowed", () => {
    assert.throws(
      () => readOptions(["--n", "0,many", "--trials=-1", "--contenders", "flux", "--cases", "nothing"]),
      (error: Error) =>
        [
          'found "0"',
          'found "many"',
          "--trials",
          "found flux, allowed are ours",
          "--cases: found nothing, allowed are first",
        ].every((part) => error.message.includes(part)),
    );
  });
});
