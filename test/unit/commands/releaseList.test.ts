import assert from "node:assert/strict";
import { goesBackTo, listOf } from "../../../commands/releaseList";
import type { Good, History } from "../../../components/lib/releases/record";

const imageOf = (digit: string): string => `registry.dev.example/web:${digit}@sha256:${digit.repeat(64)}`;
const good = (digit: string, more: Partial<Good> = {}): Good => ({
  image: imageOf(digit),
  tag: digit,
  digest: `sha256:${digit.repeat(64)}`,
  version: `1.${digit}.0`,
  ...more,
});
const WEB: History = {
  good: [
    good("3", { healthySince: "2026-01-01T00:00:00Z", overrides: [{ guard: "early", reason: "urgent", by: "anna" }] }),
    good("2"),
    good("1"),
  ],
  rejected: [{ image: imageOf("2"), version: "1.2.0", reason: "slow\nvery", at: "2026-01-02T00:00:00Z" }],
};

describe("the releases of a stack", () => {
  it("are shown with since when, what was set aside, and what was rejected", () => {
    assert.deepEqual(listOf("dev", { web: WEB }).split("\n"), [
      "web",
      '  runs     1.3.0 (sha256:333333333333), healthy since 2026-01-01T00:00:00Z; guard "early" set aside by anna: urgent',
      "  ran      1.2.0 (sha256:222222222222)",
      "  ran      1.1.0 (sha256:111111111111)",
      "  rejected 1.2.0 (sha256:222222222222) at 2026-01-02T00:00:00Z: slow",
    ]);
    assert.equal(listOf("dev", {}), "dev has recorded no release");
  });

  it("have one to go back to: the last that was not rejected", () => {
    assert.equal(goesBackTo("dev", "web", { web: WEB }), "1.1.0 (sha256:111111111111)");
  });

  it("are refused where there is none, or no such application", () => {
    const web = { good: [good("3")], rejected: [] };
    assert.throws(() => goesBackTo("dev", "web", { web }), /^Error: web has no earlier release in dev/);
    assert.throws(() => goesBackTo("dev", "shop", { web }), /^Error: dev has no application "shop": it has web/);
  });
});
