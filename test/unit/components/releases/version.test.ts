import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { versionIn } from "../../../../components/lib/releases/version";

describe("the version of an application", () => {
  let dir: string;
  beforeEach(() => (dir = fs.mkdtempSync(path.join(os.tmpdir(), "version-"))));
  afterEach(() => fs.rmSync(dir, { recursive: true }));
  const write = (file: string, text: string): void => fs.writeFileSync(path.join(dir, file), text);

  it("stands in its package.json, else in a file VERSION", () => {
    write("VERSION", "2.0.0-rc.1\n");
    assert.equal(versionIn(dir), "2.0.0-rc.1");
    write("package.json", '{"version":"1.4.0"}');
    assert.equal(versionIn(dir), "1.4.0");
  });

  it("is asked for where there is none, or another text, with the place", () => {
    assert.throws(
      () => versionIn(dir),
      /the version in .*VERSION: found nothing, allowed is a semantic version such as/,
    );
    write("VERSION", "latest");
    assert.throws(() => versionIn(dir), /VERSION: found "latest"/);
    write("package.json", "{}");
    assert.throws(() => versionIn(dir), /package\.json: found nothing/);
  });
});
