import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COUNTS, tallyOf, testApplication } from "../../../commands/applications";

describe("the count of an application's tests", () => {
  it("is that of Node's runner", () => {
    const out = "✔ one\nℹ tests 5\nℹ pass 3\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\n";
    assert.deepEqual(tallyOf(out, 1, COUNTS.node), { passed: 3, failed: 1, skipped: 1 });
  });

  it("is that of pytest", () => {
    const of = (line: string, code = 0): unknown => tallyOf(`...s\n1 passed before\n${line}\n`, code, COUNTS.python);
    assert.deepEqual(of("66 passed in 56.68s"), { passed: 66, failed: 0, skipped: 0 });
    assert.deepEqual(of("1 failed, 12 passed, 3 skipped in 2.01s", 1), { passed: 12, failed: 1, skipped: 3 });
    assert.deepEqual(of("5 passed, 2 errors in 1.00s", 1), { passed: 5, failed: 2, skipped: 0 });
  });

  it("is a failure where the tests broke off", () => {
    for (const count of Object.values(COUNTS))
      assert.deepEqual(tallyOf("Segmentation fault", 139, count), { passed: 0, failed: 1, skipped: 0 });
  });
});

describe("an application's tests", function () {
  this.timeout(60_000);
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "application-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const lock = { name: "x", lockfileVersion: 3, packages: { "": { name: "x" } } };

  it("are run with its own packages, and counted", async () => {
    writeFileSync(join(dir, "package-lock.json"), JSON.stringify(lock));
    const test = `node -e "console.log('ℹ pass 2\\nℹ fail 0\\nℹ skipped 1')"`;
    writeFileSync(join(dir, "package.json"), JSON.stringify({ name: "x", scripts: { test } }));
    assert.deepEqual(await testApplication(dir), { passed: 2, failed: 0, skipped: 1 });
  });

  it("fail where they end badly without a word", async () => {
    writeFileSync(join(dir, "package-lock.json"), JSON.stringify(lock));
    writeFileSync(join(dir, "package.json"), JSON.stringify({ name: "x", scripts: { test: "exit 3" } }));
    assert.deepEqual(await testApplication(dir), { passed: 0, failed: 1, skipped: 0 });
  });

  it("are skipped, and say so, where there is no Python for them", async () => {
    const path = process.env.PATH;
    process.env.PATH = dir;
    try {
      assert.deepEqual(await testApplication(dir), { passed: 0, failed: 0, skipped: 1 });
    } finally {
      process.env.PATH = path;
    }
  });
});
