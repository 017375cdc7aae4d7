import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { manual } from "../../policy/manual";

const FILE = join(__dirname, "../../docs/policies.md");

describe("docs/policies.md", () => {
  it("says what the rules are", async () => {
    const found = await format(manual(), { ...(await resolveConfig(FILE)), filepath: FILE });
    if (process.env.UPDATE_GOLDEN) writeFileSync(FILE, found);
    assert.equal(
      readFileSync(FILE, "utf8"),
      found,
      "write it anew: UPDATE_GOLDEN=1 npx mocha test/policy/manual.test.ts",
    );
  });
});
