import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const ROOT = path.resolve(__dirname, "..", "..", "..");

describe("npm run scan", function () {
  this.timeout(300_000);
  let bin: string;
  beforeEach(() => (bin = fs.mkdtempSync(path.join(os.tmpdir(), "scan-"))));
  afterEach(() => fs.rmSync(bin, { recursive: true }));

  const tool = (name: string, body: string): void =>
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\necho "$0 $*" >>"${bin}/calls"\n${body}\n`, { mode: 0o755 });
  const scan = (...args: string[]): { code: number | null; said: string } => {
    const argv = ["--require", "tsx/cjs", "commands/scan.ts", ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, PATH: `${bin}:/usr/bin:/bin` },
    });
    return { code: status, said: stdout + stderr };
  };

  it("builds on the images of the lock and fails on what is critical", () => {
    tool("docker", "exit 0");
    tool("grype", 'case "$*" in *docker:platform-scan/notes*) echo CVE-1; exit 2 ;; esac');
    const { code, said } = scan("file-site", "notes");
    assert.equal(code, 1, said);
    assert.match(said, /CVE-1[^]*critical weaknesses \(above\) in notes:/);
    const calls = fs.readFileSync(path.join(bin, "calls"), "utf8");
    assert.match(calls, /docker build .*--target runner .*PYTHON_IMAGE=\S+\/python:\S+ .*apps\/notes$/m);
    assert.equal(scan("file-site").code, 0);
  });

  it("fails where an image cannot be built, or the scanner could not look", () => {
    tool("docker", '[ "$1" = version ]');
    tool("grype", '[ "$1" = version ]');
    assert.match(scan("notes").said, /notes cannot be built/);
    tool("docker", "exit 0");
    const { code, said } = scan("notes");
    assert.equal(code, 1);
    assert.match(said, /grype could not look at notes/);
  });

  it("says what it lacks, and fails then where it is required", () => {
    tool("docker", "exit 1");
    const { code, said } = scan();
    assert.deepEqual([code, said], [0, "skipped: no Docker answers, which builds the images\n"]);
    assert.equal(scan("--require").code, 1);
    tool("docker", "exit 0");
    tool("grype", "exit 1");
    assert.match(scan().said, /^skipped: grype is not installed: go install /);
  });

  it("knows its applications", () => assert.equal(scan("nothing").code, 2));
});
