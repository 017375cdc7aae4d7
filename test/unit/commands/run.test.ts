import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const RUN = path.join(__dirname, "../../../commands/run.mjs");

describe("the way into every command", () => {
  let dir: string;
  beforeEach(() => (dir = fs.mkdtempSync(path.join(os.tmpdir(), "run-"))));
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  it("does not install through a link: npm would empty the folder that it leads to", () => {
    const [elsewhere, root] = ["elsewhere", "root"].map((name) => path.join(dir, name)) as [string, string];
    fs.mkdirSync(path.join(root, "commands"), { recursive: true });
    fs.mkdirSync(elsewhere);
    fs.writeFileSync(path.join(elsewhere, "kept"), "");
    fs.writeFileSync(path.join(root, "package-lock.json"), "{}");
    fs.symlinkSync(elsewhere, path.join(root, "node_modules"));
    fs.copyFileSync(RUN, path.join(root, "commands/run.mjs"));
    const { status, stderr } = spawnSync(process.execPath, [path.join(root, "commands/run.mjs"), "doctor"], {
      encoding: "utf8",
    });
    assert.equal(status, 1);
    assert.match(stderr, /node_modules leads to .*elsewhere, which was not installed for this package-lock\.json/);
    assert.deepEqual(fs.readdirSync(elsewhere), ["kept"]);
  });
});
