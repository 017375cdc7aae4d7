import assert from "node:assert/strict";
import { changesDeployment, changesNothing, eventsIn } from "../../../commands/engineEvents";

const step = (op: string, type: string): string =>
  JSON.stringify({ resourcePreEvent: { metadata: { op, urn: "urn", type, new: { custom: true } } } });
const changes = (...lines: string[]): boolean => changesDeployment(eventsIn(lines.join("\n")));

describe("the engine's log of events", () => {
  it("says when a Deployment changes", () => {
    for (const op of ["create", "update", "replace"])
      assert.ok(changes(step("same", "x:y:Z"), step(op, "kubernetes:apps/v1:Deployment")), op);
  });

  it("says nothing of one that stays, of other kinds, and of half a line", () => {
    const change = step("update", "kubernetes:apps/v1:Deployment");
    assert.ok(!changes(step("same", "kubernetes:apps/v1:Deployment"), step("update", "kubernetes:core/v1:Service")));
    assert.ok(!changes(change.slice(0, -2)));
    assert.ok(!changes(""));
  });

  const told = (before: object, after: object | undefined): string =>
    JSON.stringify({
      resOutputsEvent: {
        metadata: { type: "pulumi:pulumi:Stack", old: { outputs: before }, new: after && { outputs: after } },
      },
    });
  const summary = (resourceChanges: object): string => JSON.stringify({ summaryEvent: { resourceChanges } });
  const over = (...lines: string[]): boolean => changesNothing(eventsIn(lines.join("\n")));
  const same = { same: 3, read: 1 };

  it("says when there is nothing to do", () => {
    // The engine tells the stack's outputs first as they were.
    assert.ok(over(told({ a: 1 }, { a: 0 }), told({ a: 1, b: { c: [2] } }, { b: { c: [2] }, a: 1 }), summary(same)));
  });

  it("leaves something to do where an object changes, where an output does, and where it was cut off", () => {
    const stays = told({ a: 1 }, { a: 1 });
    for (const op of ["create", "update", "replace", "delete", "import", "discard"])
      assert.ok(!over(stays, summary({ ...same, [op]: 1 })), op);
    assert.ok(over(stays, summary({ ...same, update: 0 })));
    assert.ok(!over(told({ a: 1 }, { a: 2 }), summary(same)));
    assert.ok(!over(told({ a: 1 }, { a: 1, b: 1 }), summary(same)));
    assert.ok(!over(told({}, undefined), summary(same)));
    assert.ok(!over(summary(same)), "nothing is known of the outputs");
    assert.ok(!over(stays));
    assert.ok(!over(stays, summary({})));
    assert.ok(!over(""));
  });
});
