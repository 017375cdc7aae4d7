import assert from "node:assert/strict";
import type { Failures } from "../../../commands/rollouts";
import { type Trial, heldBack, updateOrGoBack } from "../../../commands/update";

const BAD = { image: "web:2", reason: "it ends with exit code 1" };

/** Updates that end with these codes, each followed by what did not get ready. */
function scene(...runs: readonly [code: number, failures?: Failures][]) {
  const told: Failures[] = [];
  const asked: unknown[] = [];
  const said: string[] = [];
  const trial: Trial = {
    revisions: () => Promise.resolve(new Set(["web 1"])),
    run: (failed) => Promise.resolve(runs[told.push(failed) - 1]?.[0] ?? 1),
    releases: () => Promise.resolve({ web: { image: "web:1" } }),
    failures: (...question) => {
      asked.push(question);
      return Promise.resolve(runs[told.length - 1]?.[1] ?? {});
    },
  };
  return { told, asked, said, outcome: updateOrGoBack(trial, (line) => said.push(line)) };
}

describe("an update that goes back where a new version never gets ready", () => {
  it("is one update where it succeeds, and nobody is asked how the pods are", async () => {
    const { told, asked, said, outcome } = scene([0]);
    assert.deepEqual(await outcome, { code: 0, failed: {} });
    assert.deepEqual([told, asked, said], [[{}], [], []]);
  });

  it("updates again, told what failed since", async () => {
    const { told, asked, said, outcome } = scene([1, { web: BAD }], [0]);
    assert.deepEqual(await outcome, { code: 0, failed: { web: BAD } });
    assert.deepEqual(told, [{}, { web: BAD }]);
    assert.deepEqual(asked, [[new Set(["web 1"]), { web: { image: "web:1" } }]]);
    assert.deepEqual(said, ["web never got ready: going back to what was good before"]);
  });

  it("goes on as long as others fail, and ends where nothing new is found", async () => {
    const both = { web: BAD, shop: BAD };
    const { told, said, outcome } = scene([1, { web: BAD }], [1, both], [1, both]);
    assert.deepEqual(await outcome, { code: 1, failed: both });
    assert.deepEqual(told, [{}, { web: BAD }, both]);
    assert.equal(said.length, 2);
  });

  it("does not go back where somebody interrupted it", async () => {
    const { told, outcome } = scene([130, { web: BAD }]);
    assert.deepEqual([await outcome, told], [{ code: 130, failed: {} }, [{}]]);
  });

  it("does not go back where the update failed and every version is ready", async () => {
    const { told, outcome } = scene([1]);
    assert.deepEqual([await outcome, told], [{ code: 1, failed: {} }, [{}]]);
  });

  it("says what is held back, why, and how it is tried again", () => {
    assert.equal(
      heldBack("dev", { web: BAD, shop: BAD }),
      "dev runs what was good before, as a new version did not get ready:\n" +
        "  web (web:2): it ends with exit code 1\n  shop (web:2): it ends with exit code 1\n" +
        "It is not tried again until it changes, or by npm run up -- --stack dev --retry web --retry shop",
    );
  });
});
