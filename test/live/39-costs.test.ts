import assert from "node:assert/strict";
import { auditLog } from "../../sandbox/controlPlane";
import { existing } from "../../sandbox/settings";
import { type Asked, askedSince, countOf } from "../costs/audit";
import { SECOND_UP, UNCHANGED, over } from "../costs/limits";
import { NAME, broughtUp, platform, pulumi } from "./world";

describe("costs: what the API server is asked where nothing changes", function () {
  this.timeout(900_000);

  before(async () => {
    await broughtUp();
    // A suite before may have left something to do.
    const { code, all } = await platform("up", ["--name", NAME]);
    assert.equal(code, 0, all);
  });

  const during = async (work: () => Promise<{ code: number | null; all: string }>): Promise<Asked[]> => {
    const layout = existing(NAME);
    assert.ok(layout);
    const since = new Date();
    const { code, all } = await work();
    assert.equal(code, 0, all);
    return askedSince(auditLog(layout), since);
  };

  it("by an update: no more than it may, and nothing for any object", async () => {
    const asked = await during(() => pulumi(["up", "-s", "dev", "--yes", "--skip-preview", "--expect-no-changes"]));
    const [provider, program] = [countOf(asked, "provider"), countOf(asked, "program")];
    assert.ok(Object.keys(program).length > 0, "the audit log says nothing of the program");
    assert.deepEqual([over(provider, UNCHANGED.provider), over(program, UNCHANGED.program)], [[], []]);
  });

  it("by kubectl in a second npm run up: no more than it may", async () => {
    const asked = await during(() => platform("up", ["--name", NAME]));
    const kubectl = countOf(asked, "kubectl");
    assert.ok(Object.keys(kubectl).length > 0, "the audit log says nothing of kubectl");
    assert.deepEqual(over(kubectl, SECOND_UP), []);
  });
});
