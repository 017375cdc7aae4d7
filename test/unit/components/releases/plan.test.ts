import assert from "node:assert/strict";
import type { AppConfig } from "../../../../components/lib/appConfig";
import type { Wanted } from "../../../../components/lib/releases/guards";
import { NO_ORDERS, type Orders } from "../../../../components/lib/releases/orders";
import { type Planned, planApp } from "../../../../components/lib/releases/plan";
import { type Good, type History, NO_HISTORY, settingsOf } from "../../../../components/lib/releases/record";

const CONFIG: AppConfig = {
  from: "dev",
  port: 3000,
  redis: false,
  expose: false,
  metrics: false,
  env: { COLOUR: "blue" },
};
const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;
const imageOf = (digit: string): string => `registry.qa.example/web:${digit}@${digestOf(digit)}`;
const good = (digit: string, config = CONFIG): Good => ({
  image: imageOf(digit),
  tag: digit,
  digest: digestOf(digit),
  version: `1.${digit}.0`,
  healthySince: `2026-01-0${digit}T00:00:00Z`,
  settings: settingsOf(config),
});
const NOW = new Date("2026-02-01T00:00:00Z");
const history = (...entries: Good[]): History => ({ good: entries, rejected: [] });
const wantedOf = (digit: string): Wanted => ({ image: imageOf(digit), version: `1.${digit}.0` });

const plan = (
  before: History,
  {
    wanted = wantedOf("3"),
    orders = {},
    config = CONFIG,
  }: { wanted?: Wanted; orders?: Partial<Orders>; config?: AppConfig } = {},
): Planned =>
  planApp({ app: "web", config, wanted, before, orders: { ...NO_ORDERS, ...orders }, overrides: [], now: NOW });

/** The history once the update has succeeded. */
const after = (planned: Planned): History => planned.recorded(planned.image ?? "", NOW);
const tags = ({ good, rejected }: History): string[][] => [
  good.map(({ tag }) => tag),
  rejected.map(({ image }) => image.slice(-1)),
];

describe("what becomes of an application", () => {
  it("is what is wanted, which is healthy from then on", () => {
    const planned = plan(history(good("2")));
    assert.deepEqual([planned.image, planned.held, planned.config], [imageOf("3"), undefined, CONFIG]);
    const [first, second] = after(planned).good;
    assert.deepEqual([first?.tag, first?.version, first?.healthySince], ["3", "1.3.0", "2026-02-01T00:00:00Z"]);
    assert.deepEqual(second, good("2"));
  });

  it("is recorded the same again while nothing changes", () => {
    const before = history(good("3"), good("2"));
    assert.deepEqual(after(plan(before)), before);
  });

  it("stays healthy since it was when its settings alone change, and both are remembered", () => {
    const config = { ...CONFIG, env: { COLOUR: "green" } };
    const { good: entries } = after(plan(history(good("3")), { config }));
    assert.deepEqual(
      entries.map(({ tag, healthySince, settings }) => [tag, healthySince, settings?.env?.COLOUR]),
      [
        ["3", "2026-01-03T00:00:00Z", "green"],
        ["3", "2026-01-03T00:00:00Z", "blue"],
      ],
    );
  });

  it("is no more remembered than the last few", () => {
    const many = ["9", "8", "7", "6", "5", "4"].map((digit) => good(digit));
    assert.deepEqual(tags(after(plan(history(...many))))[0], ["3", "9", "8", "7", "6"]);
  });

  const crash = { failed: { web: { image: imageOf("3"), reason: "it crashed" } } };

  it("stays what it was where the new one failed, which is held back from then on, with the reason", () => {
    const planned = plan(history(good("2")), { orders: crash });
    assert.equal(planned.image, imageOf("2"));
    const recorded = after(planned);
    assert.deepEqual(tags(recorded), [["2"], ["3"]]);
    assert.equal(recorded.good[0]?.healthySince, good("2").healthySince);
    const next = plan(recorded);
    assert.equal(next.image, imageOf("2"));
    assert.equal(
      next.held,
      "web stays at 1.2.0 (sha256:222222222222), as 1.3.0 (sha256:333333333333) was rejected at 2026-02-01T00:00:00Z: " +
        "it crashed. --retry web takes it again",
    );
    assert.deepEqual(after(next), recorded);
  });

  it("is held back before it is built, by its tag", () => {
    const recorded = after(plan(history(good("2")), { orders: crash }));
    assert.equal(plan(recorded, { wanted: { tag: "3", version: "1.3.0" } }).image, imageOf("2"));
    assert.equal(plan(recorded, { wanted: { tag: "4", version: "1.4.0" } }).image, undefined);
  });

  it("takes what was rejected on demand only, and forgets the rejection once it is good", () => {
    const recorded = after(plan(history(good("2")), { orders: crash }));
    const again = plan(recorded, { orders: { retry: ["web"] } });
    assert.deepEqual([again.image, again.held], [imageOf("3"), undefined]);
    assert.deepEqual(tags(after(again)), [["3", "2"], []]);
    assert.equal(plan(recorded, { orders: { retry: ["shop"] } }).image, imageOf("2"));
  });

  it("takes what is newer than the rejected without being asked", () => {
    const recorded = after(plan(history(good("2")), { orders: crash }));
    assert.equal(plan(recorded, { wanted: wantedOf("4") }).image, imageOf("4"));
  });

  it("holds back settings that failed, and not the image, which is good with others", () => {
    const config = { ...CONFIG, env: { COLOUR: "none" } };
    const failed = { web: { image: imageOf("2"), reason: "no such colour" } };
    const planned = plan(history(good("2")), { wanted: wantedOf("2"), config, orders: { failed } });
    assert.equal(planned.config.env?.COLOUR, "blue");
    const recorded = after(planned);
    assert.equal(plan(recorded, { wanted: wantedOf("2"), config }).config.env?.COLOUR, "blue");
    const mended = { ...CONFIG, env: { COLOUR: "red" } };
    assert.equal(plan(recorded, { wanted: wantedOf("2"), config: mended }).config.env?.COLOUR, "red");
  });

  it("fails as it did where nothing was ever good", () => {
    assert.equal(plan(NO_HISTORY, { orders: crash }).image, imageOf("3"));
  });

  describe("rolled back", () => {
    const orders = { rollBack: { web: "slow" } };

    it("is the one before with its settings, healthy from then on; the other is rejected", () => {
      const old = { ...CONFIG, env: { COLOUR: "old" } };
      const planned = plan(history(good("3"), good("2", old)), { orders });
      assert.deepEqual([planned.image, planned.config.env?.COLOUR, planned.frozen], [imageOf("2"), "old", true]);
      const recorded = after(planned);
      assert.deepEqual(tags(recorded), [["2"], ["3"]]);
      assert.equal(recorded.good[0]?.healthySince, "2026-02-01T00:00:00Z");
      assert.match(plan(recorded).held ?? "", /was rejected at .*: slow\. --retry web/);
    });

    it("twice is two back", () => {
      const once = after(plan(history(good("3"), good("2"), good("1")), { orders }));
      const twice = after(plan(once, { orders }));
      assert.deepEqual(tags(twice), [["1"], ["2", "3"]]);
    });

    it("is refused where there is nothing before", () => {
      assert.throws(() => plan(history(good("3")), { orders }), /^Error: web has no earlier release to go back to/);
    });

    it("leaves the other applications what they are, whatever their sources have become", () => {
      const planned = plan(history(good("2")), { wanted: { tag: "new" }, orders: { rollBack: { shop: "slow" } } });
      assert.deepEqual([planned.image, planned.frozen, planned.held], [imageOf("2"), true, undefined]);
    });

    it("and so does an update of the platform alone", () => {
      const planned = plan(history(good("2")), { orders: { infra: true } });
      assert.deepEqual([planned.image, planned.frozen], [imageOf("2"), true]);
    });

    it("has no settings to go back to where none were recorded", () => {
      const bare = { ...good("2"), settings: undefined };
      assert.deepEqual(plan(history(good("3"), bare), { orders }).config, CONFIG);
    });
  });
});
