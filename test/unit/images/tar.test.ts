import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Layer } from "../../../toolchain/images/layer";
import { tar } from "../../../toolchain/images/tar";

async function bytes(layer: Layer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of tar(layer.entries())) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("tar of a layer", () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "tar-"))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function unpack(archive: Buffer): void {
    execFileSync("tar", ["--extract", "--preserve-permissions", "--no-same-owner", "--directory", directory], {
      input: archive,
    });
  }

  it("gives equal bytes whatever the order of gathering", async () => {
    const one = new Layer().file("/etc/a", "a").directory("/data", { uid: 999 }).symlink("/bin/sh", "busybox");
    const other = new Layer().symlink("/bin/sh", "busybox").directory("/data", { uid: 999 }).file("/etc/a", "a");
    assert.deepEqual(await bytes(one), await bytes(other));
  });

  it("is read back by tar with modes, links and the epoch as time", async () => {
    writeFileSync(join(directory, "source"), "from disk");
    const layer = new Layer()
      .file("/etc/secret", "text", { mode: 0o640 })
      .copy("/usr/bin/tool", join(directory, "source"), { mode: 0o755 })
      .symlink("/bin/tool", "../usr/bin/tool")
      .directory("/tmp", { mode: 0o1777 });
    unpack(await bytes(layer));
    assert.equal(readFileSync(join(directory, "usr/bin/tool"), "utf8"), "from disk");
    assert.equal(readlinkSync(join(directory, "bin/tool")), "../usr/bin/tool");
    assert.equal(lstatSync(join(directory, "etc/secret")).mode & 0o7777, 0o640);
    assert.equal(lstatSync(join(directory, "tmp")).mode & 0o7777, 0o1777);
    assert.equal(lstatSync(join(directory, "etc/secret")).mtimeMs, 0);
  });

  it("keeps hard links of a copied tree as one file", async () => {
    const from = mkdtempSync(join(tmpdir(), "tree-"));
    try {
      writeFileSync(join(from, "first"), "shared");
      execFileSync("ln", [join(from, "first"), join(from, "second")]);
      const entries = new Layer().tree("opt", from).entries();
      assert.deepEqual(entries.find((entry) => entry.path === "opt/second")?.kind, "hardlink");
      unpack(await bytes(new Layer().tree("opt", from)));
      assert.equal(lstatSync(join(directory, "opt/first")).ino, lstatSync(join(directory, "opt/second")).ino);
    } finally {
      rmSync(from, { recursive: true, force: true });
    }
  });

  it("lists a directory's content before names that sort between them as text", () => {
    const paths = new Layer().file("a.b", "").file("a/x", "").entries();
    assert.deepEqual(
      paths.map((entry) => entry.path),
      ["a", "a/x", "a.b"],
    );
  });

  it("carries any file name and size", async () => {
    const name = fc
      .string({ unit: fc.constantFrom("a", "Z", " ", ".", "=", "ő", "%", "\n"), minLength: 1, maxLength: 60 })
      .filter((part) => part !== "." && part !== "..");
    const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
    const size = fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.constantFrom(511, 512, 513));
    await fc.assert(
      fc.asyncProperty(path, size, async (file, length) => {
        const content = "x".repeat(length);
        unpack(await bytes(new Layer().file(file, content)));
        assert.equal(readFileSync(join(directory, file), "utf8"), content);
        rmSync(join(directory, file.split("/")[0] ?? ""), { recursive: true });
      }),
      { numRuns: 40 },
    );
  });

  it("refuses a file that changes while it is written", async () => {
    const file = join(directory, "source");
    writeFileSync(file, "short");
    const layer = new Layer().copy("/a", file);
    writeFileSync(file, "much longer");
    await assert.rejects(bytes(layer), /source changed while \/a was written \(5 bytes, then 11\)/);
  });

  it("refuses paths that leave the image", () => {
    for (const path of ["/a/../b", "./a", "/", "a//b"]) {
      assert.throws(() => new Layer().file(path, ""), /is not a path inside an image/, path);
    }
  });
});
