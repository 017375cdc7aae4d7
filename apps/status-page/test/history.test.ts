import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BEATS, CHANGES, History, isSaved } from "../src/history";

const HOUR = 3_600_000;
const START = Date.UTC(2030, 0, 1);
const good = { up: true, ms: 5 };
const bad = { up: false, ms: 9, reason: "answers 503" };

describe("a history", () => {
  it("does not call down what never answered, and counts nothing of it", () => {
    const history = new History();
    history.record(bad, START);
    history.record(bad, START + 1000);
    const { state, since, checked, reason, beats, changes } = history;
    assert.deepEqual([state, since, checked, reason], ["unseen", START, START + 1000, "answers 503"]);
    assert.deepEqual([beats, changes, history.uptime(24, START)], [[], [], undefined]);
  });

  it("is down at the first failure and up at the first answer, and knows since when", () => {
    const history = new History();
    const told = [good, bad, bad, good].map((answer, index) => {
      history.record(answer, START + index * 1000);
      return [history.state, history.since - START, history.reason];
    });
    assert.deepEqual(told, [
      ["up", 0, undefined],
      ["down", 1000, "answers 503"],
      ["down", 1000, "answers 503"],
      ["up", 3000, undefined],
    ]);
    assert.deepEqual(history.changes, [
      { at: START, up: true },
      { at: START + 1000, up: false, reason: "answers 503" },
      { at: START + 3000, up: true },
    ]);
  });

  it("tells uptime by windows that end with the current hour", () => {
    const history = new History();
    history.record(good, START);
    for (let hour = 0; hour < 48; hour++) history.record(hour < 24 ? bad : good, START + hour * HOUR);
    const now = START + 47 * HOUR;
    assert.equal(history.uptime(24, now), 1);
    assert.equal(history.uptime(48, now), 25 / 49);
    assert.equal(history.uptime(24, now + 30 * HOUR), undefined);
  });

  it("has a bound, whatever the time", () => {
    const history = new History();
    for (let hour = 0; hour < 2000; hour++) history.record(hour % 2 ? bad : good, START + hour * HOUR);
    const { beats, changes, hours } = history.toJSON();
    assert.deepEqual([beats.length, changes.length, hours.length], [BEATS, CHANGES, 720]);
    assert.ok(JSON.stringify(history).length < 40_000);
  });

  it("stands a clock that is set back", () => {
    const history = new History();
    history.record(good, START + HOUR);
    history.record(bad, START);
    assert.deepEqual([history.toJSON().hours.length, history.uptime(24, START + HOUR)], [1, 0.5]);
  });

  it("comes back from what is kept of it, to go on", () => {
    const history = new History();
    for (const [index, answer] of [good, good, bad].entries()) history.record(answer, START + index);
    const saved: unknown = JSON.parse(JSON.stringify(history));
    assert.ok(isSaved(saved));
    const again = History.from(saved);
    assert.deepEqual(again.toJSON(), history.toJSON());
    again.record(good, START + 3);
    assert.deepEqual([again.state, again.beats.length, again.uptime(1, START)], ["up", 4, 3 / 4]);
    assert.equal(history.beats.length, 3);
  });

  it("does not come from anything else", () => {
    const sound = new History().toJSON();
    assert.ok(isSaved(sound));
    const unsound = [
      null,
      {},
      { ...sound, state: "perhaps" },
      { ...sound, since: "now" },
      { ...sound, beats: [[1, 2]] },
      { ...sound, hours: [[1, 2, "3"]] },
      { ...sound, changes: [{ at: 1 }] },
      { ...sound, reason: 5 },
    ];
    for (const each of unsound) assert.equal(isSaved(each), false, JSON.stringify(each));
  });
});
