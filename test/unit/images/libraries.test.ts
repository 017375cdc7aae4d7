import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { interpreter, resolveInside, sharedLibraries } from "../../../toolchain/images/libraries";
import { staticProgram } from "./fakeProgram";

describe("what a binary needs to start", () => {
  let tree: string;
  beforeEach(() => (tree = mkdtempSync(join(tmpdir(), "tree-"))));
  afterEach(() => rmSync(tree, { recursive: true, force: true }));

  it("finds the loader of a dynamic program and none in a static one", function () {
    assert.equal(interpreter(staticProgram("anything")), undefined);
    if (process.platform !== "linux") return this.skip();
    assert.match(interpreter(readFileSync(process.execPath)) ?? "", /^\/lib.*\/ld-/);
  });

  it("refuses what is no program", () => {
    assert.throws(
      () => interpreter(Buffer.from("#!/bin/sh\necho no program\n")),
      /not a 64-bit little-endian ELF file/,
    );
  });

  it("needs nothing for a static program", async () => {
    mkdirSync(join(tree, "bin"));
    writeFileSync(join(tree, "bin/tool"), staticProgram("tool"));
    assert.deepEqual(await sharedLibraries(tree, "/bin/tool"), []);
  });

  it("follows links as if the tree were the root", () => {
    mkdirSync(join(tree, "usr/lib"), { recursive: true });
    writeFileSync(join(tree, "usr/lib/libx.so.1.2"), "");
    symlinkSync("usr/lib", join(tree, "lib"));
    symlinkSync("/lib/libx.so.1.2", join(tree, "usr/lib/libx.so.1"));
    assert.equal(resolveInside(tree, "/lib/libx.so.1"), "/usr/lib/libx.so.1.2");
  });

  it("does not follow links for ever", () => {
    symlinkSync("b", join(tree, "a"));
    symlinkSync("a", join(tree, "b"));
    assert.throws(() => resolveInside(tree, "/a"), /\/a is a loop of symbolic links/);
  });
});
