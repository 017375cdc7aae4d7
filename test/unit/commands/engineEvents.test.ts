import assert from "node:assert/strict";
import { changesDeployment, eventsIn } from "../../../commands/engineEvents";

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
});
