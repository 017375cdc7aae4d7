import assert from "node:assert/strict";
import * as fc from "fast-check";
import { compareVersions, isSemver } from "../../../../components/lib/releases/semver";

/** From the specification, in its order. */
const RISING = [
  "0.9.9",
  "1.0.0-alpha",
  "1.0.0-alpha.1",
  "1.0.0-alpha.beta",
  "1.0.0-beta",
  "1.0.0-beta.2",
  "1.0.0-beta.11",
  "1.0.0-rc.1",
  "1.0.0",
  "1.0.1",
  "1.2.0",
  "1.10.0",
  "2.0.0",
];

describe("semantic versions", () => {
  it("rise as the specification says", () => {
    for (const [i, one] of RISING.entries())
      for (const [j, other] of RISING.entries())
        assert.equal(Math.sign(compareVersions(one, other)), Math.sign(i - j), `${one} and ${other}`);
  });

  it("are equal whatever stands behind a plus", () => assert.equal(compareVersions("1.0.0+a", "1.0.0+b"), 0));

  it("are told from other texts", () => {
    for (const sound of [...RISING, "1.0.0+build.5", "1.0.0-0A.is.legal"]) assert.ok(isSemver(sound), sound);
    for (const other of ["v1.0.0", "1.0", "01.0.0", "1.0.0-", "1.0.0-01", "", "latest", 1, undefined])
      assert.ok(!isSemver(other), String(other));
    assert.throws(() => compareVersions("1.0", "1.0.0"), /^Error: "1\.0" is no semantic version/);
  });

  it("are higher by any of their numbers", () => {
    const number = fc.nat({ max: 1000 });
    fc.assert(
      fc.property(number, number, number, number, (major, minor, patch, more) => {
        const low = `${major}.${minor}.${patch}`;
        for (const high of [
          `${major + more + 1}.0.0`,
          `${major}.${minor + more + 1}.0`,
          `${major}.${minor}.${patch + more + 1}`,
        ])
          assert.ok(compareVersions(low, high) < 0 && compareVersions(high, low) > 0);
      }),
    );
  });
});
