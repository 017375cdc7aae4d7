import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { TOOLCHAIN_DIRECTORY } from "../../../toolchain/lock";
import { Scratch } from "./scratch";

const ROOT = path.dirname(TOOLCHAIN_DIRECTORY);

describe("the toolchain's commands", () => {
  let scratch: Scratch;
  beforeEach(() => (scratch = new Scratch()));
  afterEach(() => scratch.remove());

  function run(command: string, ...args: string[]): { code: number | null; out: string; err: string } {
    const env = { ...process.env, ...scratch.env(), PLATFORM_CACHE: scratch.cache, PLATFORM_SOURCE: "download" };
    const script = path.join(ROOT, "commands", `${command}.ts`);
    const result = spawnSync(process.execPath, ["--require", "tsx/cjs", script, ...args], {
      cwd: ROOT,
      env,
      encoding: "utf8",
    });
    return { code: result.status, out: result.stdout, err: result.stderr };
  }

  for (const command of ["doctor", "toolchain"])
    it(`${command} --help explains itself`, () => {
      const { code, out } = run(command, "--help");
      assert.equal(code, 0);
      assert.match(out, /^usage: npm run/);
    });

  const wrong: [string, string[], RegExp][] = [
    ["doctor", ["now"], /doctor takes no argument "now"/],
    ["toolchain", [], /name a command: build, list, path, prune/],
    ["toolchain", ["bild"], /unknown command "bild"; known are build/],
    ["toolchain", ["build", "pulmi"], /build does not know "pulmi"; it takes pulumi/],
    ["toolchain", ["prune", "--al"], /prune does not know "--al"; it takes --all/],
    ["toolchain", ["path"], /path needs at least one item/],
  ];
  for (const [command, args, message] of wrong)
    it(`${[command, ...args].join(" ")} is a wrong call`, () => {
      const { code, err } = run(command, ...args);
      assert.equal(code, 2);
      assert.match(err, message);
      assert.equal(err.trim().split("\n").length, 1);
    });

  it("doctor lists every item with the path it would take, and leaves no trace", () => {
    const { out } = run("doctor");
    assert.match(out, /^pulumi +engine +3\.220\.0 \(>=3\.220 <4\) .*download, checksum committed$/m);
    assert.match(out, /^crds-gateway-api +crds +1\.4\.0 .*download, checksum committed$/m);
    assert.match(out, /^plugin-vault .*checked only against the publisher's own list$/m);
    assert.match(out, /^cache .* GB free, up to .* GB needed/m);
    assert.match(out, /^a local cluster: /m);
  });

  it("list looks at this machine alone", () => {
    const { code, out } = run("toolchain", "list", "pulumi");
    assert.equal(code, 0);
    assert.match(out, /^pulumi +not here +npm run toolchain -- build pulumi$/m);
  });

  it("prune of an empty cache frees nothing", () => {
    assert.match(run("toolchain", "prune", "--all").out, /^freed 0 MB$/m);
  });
});
