import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { CHECKS } from "../../../checks";
import { type Check, type Outcome, Skip, none, some } from "../../../checks/check";
import { line, runChecks, summary } from "../../../checks/runner";

const check = (id: string, run: Check<void>["run"]): Check<void> => ({ id, title: `title of ${id}`, run });
const passing = check("000.1", () => Promise.resolve("seen"));
const silent = check("000.2", () => Promise.resolve());
const failing = check("000.3", () => Promise.reject(new Error("the reason\nand more")));
const skipped = check("000.4", () => Promise.reject(new Skip("one server only")));
const broken = check("000.5", () => {
  throw new TypeError("a slip of the check itself");
});

describe("the runner of checks", () => {
  it("tells what passed, failed and was skipped, each with its detail, in their order", async () => {
    const reported: string[] = [];
    const all = [passing, silent, failing, skipped, broken];
    const outcomes = await runChecks(all, undefined, { atOnce: 3, report: ({ id }) => reported.push(id) });
    assert.deepEqual(
      outcomes.map(({ id, title, status, detail }) => [id, title, status, detail]),
      [
        ["000.1", "title of 000.1", "pass", "seen"],
        ["000.2", "title of 000.2", "pass", ""],
        ["000.3", "title of 000.3", "fail", "the reason\nand more"],
        ["000.4", "title of 000.4", "skip", "one server only"],
        ["000.5", "title of 000.5", "fail", "a slip of the check itself"],
      ],
    );
    assert.deepEqual(
      reported,
      all.map(({ id }) => id),
    );
  });

  it("is JSON with these fields and no other", async () => {
    const [outcome] = JSON.parse(JSON.stringify(await runChecks([passing], undefined, { atOnce: 1 }))) as Outcome[];
    assert.deepEqual(Object.keys(outcome ?? {}), ["id", "title", "status", "seconds", "detail"]);
    assert.equal(typeof outcome?.seconds, "number");
  });

  it("runs as many at once as it is let, and reports a quick one only after a slow one before it", async () => {
    let now = 0;
    let most = 0;
    const reported: string[] = [];
    const slow = (id: string, ms: number): Check<void> =>
      check(id, async () => {
        most = Math.max(most, ++now);
        await sleep(ms);
        now--;
      });
    const all = [slow("a", 60), slow("b", 5), slow("c", 5), slow("d", 5)];
    await runChecks(all, undefined, { atOnce: 2, report: ({ id }) => reported.push(id) });
    assert.equal(most, 2);
    assert.deepEqual(reported, ["a", "b", "c", "d"]);
  });

  it("shows a line for each, the reason under a failed one, and the counts", async () => {
    const outcomes = await runChecks([passing, failing, skipped], undefined, { atOnce: 1 });
    assert.deepEqual(
      outcomes.map((each) => line({ ...each, seconds: 1.25 })),
      [
        "✓ 000.1   title of 000.1 (1.3 s)",
        "✗ 000.3   title of 000.3 (1.3 s)\n          the reason\n          and more",
        "- 000.4   title of 000.4 (1.3 s): one server only",
      ],
    );
    assert.equal(summary(outcomes), "1 passed, 1 failed, 1 skipped");
  });
});

describe("a check", () => {
  it("fails with all that was found, and where there was nothing to look at", () => {
    assert.throws(() => none("open", ["a", "b"]), /^Error: open:\na\nb$/);
    none("open", []);
    assert.throws(() => some("pod", []), /^Error: found no pod to look at$/);
    assert.deepEqual(some("pod", [1]), [1]);
  });

  it("has the id of a requirement and a title of its own", () => {
    for (const { id } of CHECKS) assert.match(id, /^00[0-4]\.\d{1,2}$/);
    assert.equal(new Set(CHECKS.map(({ title }) => title)).size, CHECKS.length);
  });
});
