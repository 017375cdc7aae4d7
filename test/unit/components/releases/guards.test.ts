import assert from "node:assert/strict";
import { type Step, type Verdict, judge } from "../../../../components/lib/releases/guards";
import { NO_ORDERS, type Orders } from "../../../../components/lib/releases/orders";
import type { Good } from "../../../../components/lib/releases/record";

const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;
const imageOf = (digit: string, stack = "qa"): string => `registry.${stack}.example/web:${digit}@${digestOf(digit)}`;
const good = (digit: string, version?: string): Good => ({
  image: imageOf(digit),
  tag: digit,
  digest: digestOf(digit),
  ...(version ? { version } : {}),
});
const NOW = new Date("2026-01-01T01:00:00Z");

const verdict = (change: Partial<Step>, orders: Partial<Orders> = {}): Verdict =>
  judge(
    {
      app: "web",
      stack: "qa",
      from: "dev",
      wanted: { image: imageOf("2", "dev"), version: "1.1.0", healthySince: "2026-01-01T00:00:00Z" },
      running: good("1", "1.0.0"),
      soak: "10m",
      now: NOW,
      ...change,
    },
    { ...NO_ORDERS, ...orders },
  );
const refusals = (change: Partial<Step>, orders?: Partial<Orders>): readonly string[] =>
  verdict(change, orders).refusals;

describe("the guards of a promotion", () => {
  it("let a higher version pass that was healthy for long enough", () => {
    assert.deepEqual(verdict({}), { refusals: [], overrides: [] });
    assert.deepEqual(refusals({ running: undefined }), []);
  });

  it("refuse v1.0.0 after v1.1.0, and say what runs and the ways out", () => {
    const [text = "", ...more] = refusals({ running: good("1", "1.2.0") });
    assert.deepEqual(more, []);
    assert.equal(
      text,
      "web 1.1.0 (sha256:222222222222) is lower than 1.2.0 (sha256:111111111111), which runs in qa: release a higher version, " +
        "npm run rollback -- --stack qa web for the one before, or --allow-lower web=REASON",
    );
  });

  it("refuse a lower version where the stack builds as well", () => {
    const built = { from: undefined, soak: undefined, running: good("1", "1.2.0") };
    assert.equal(refusals({ ...built, wanted: { tag: "x", version: "1.1.9" } }).length, 1);
    assert.deepEqual(refusals({ ...built, wanted: { tag: "x", version: "1.2.0" } }), [], "dev builds often");
    assert.equal(refusals({ ...built, wanted: { tag: "1", version: "1.1.9" } }).length, 1, "nor by its number alone");
  });

  it("let somebody set a guard aside by name, and write down why and who", () => {
    const orders = { allowLower: { web: "1.2.0 loses notes" }, allowEarly: { shop: "not this one" }, by: "anna" };
    assert.deepEqual(verdict({ running: good("1", "1.2.0") }, orders), {
      refusals: [],
      overrides: [{ guard: "lower", reason: "1.2.0 loses notes", by: "anna" }],
    });
    assert.deepEqual(verdict({}, orders).overrides, [], "nothing was to be set aside");
  });

  it("refuse another image under the version that runs, outside of the stack that builds", () => {
    const [text = ""] = refusals({ running: good("1", "1.1.0") });
    assert.match(text, /^web 1\.1\.0 \(sha256:1{12}\) runs in qa, and dev has another image under the same version/);
    assert.deepEqual(refusals({ running: { ...good("2", "1.1.0") } }), []);
  });

  it("refuse what was not healthy for the set time, and say when it will have been", () => {
    const since = (healthySince?: string): Partial<Step> => ({
      wanted: { image: imageOf("2", "dev"), version: "1.1.0", healthySince },
    });
    const [young = ""] = refusals(since("2026-01-01T00:55:00Z"));
    assert.match(young, /is healthy in dev since 2026-01-01T00:55:00Z, and qa takes what .* for 10m/);
    assert.match(young, /try again after 2026-01-01T01:05:00Z, or --allow-early web=REASON$/);
    assert.match(refusals(since())[0] ?? "", /^dev does not say since when web 1\.1\.0 .* is healthy/);
    assert.deepEqual(refusals({ ...since("2026-01-01T00:59:59Z"), soak: undefined }), []);
    const allowed = verdict(since("2026-01-01T00:55:00Z"), { allowEarly: { web: "urgent" } });
    assert.deepEqual(allowed, { refusals: [], overrides: [{ guard: "early", reason: "urgent" }] });
  });

  it("refuse what has no version", () => {
    const wanted = { image: imageOf("2", "dev"), healthySince: "2026-01-01T00:00:00Z" };
    assert.match(refusals({ wanted })[0] ?? "", /^stack dev has recorded no version of web/);
  });

  it("ask nothing of what runs already", () => {
    const same = { wanted: { image: imageOf("1", "dev"), version: "1.0.0" } };
    assert.deepEqual(refusals(same), []);
    assert.deepEqual(refusals({ ...same, running: good("1") }), [], "recorded before there were versions");
  });
});
