import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { findChecksum } from "../../../toolchain/checksums";
import { fillTemplate, thisPlatform } from "../../../toolchain/platform";
import { lineProgress } from "../../../toolchain/progress";
import { table } from "../../../toolchain/table";
import { compareVersions, fits } from "../../../toolchain/version";
import { unzip } from "../../../toolchain/zip";
import { Scratch } from "./scratch";

const SUM = "a".repeat(64);

describe("versions", () => {
  const parts = fc.array(fc.nat(50), { minLength: 1, maxLength: 4 });

  it("compare number by number", () => {
    assert.equal(compareVersions("1.10.0", "1.9.9"), 1);
    assert.equal(compareVersions("1.6", "1.6.0"), 0);
    fc.assert(
      fc.property(
        parts,
        parts,
        (a, b) => compareVersions(a.join("."), b.join(".")) === -compareVersions(b.join("."), a.join(".")) + 0,
      ),
    );
  });

  it("fit a range when every comparator holds", () => {
    assert.ok(fits("3.225.1", ">=3.220 <4"));
    assert.ok(!fits("3.219.9", ">=3.220 <4"));
    assert.ok(!fits("4.0.0", ">=3.220 <4"));
    assert.ok(fits("1.2.3", "1.2.3"));
    assert.throws(() => fits("1.2.3", "^1.2"), /"\^1\.2" is not a comparator/);
  });
});

describe("lists of checksums", () => {
  it("are read in every form in use", () => {
    const expected = { algorithm: "sha256", value: SUM };
    assert.deepEqual(findChecksum(`${"b".repeat(64)}  other\n${SUM}  tool.tgz\n`, "tool.tgz"), expected);
    assert.deepEqual(findChecksum(`${SUM.toUpperCase()} *./dist/tool.tgz`, "tool.tgz"), expected);
    assert.deepEqual(findChecksum(`SHA256 (tool.tgz) = ${SUM}`, "tool.tgz"), expected);
    assert.deepEqual(findChecksum(`${SUM}\n`, "tool.tgz"), expected);
    assert.deepEqual(findChecksum(`${"c".repeat(40)}  ./tool.tgz`, "tool.tgz"), {
      algorithm: "sha1",
      value: "c".repeat(40),
    });
  });

  it("that do not name the file give nothing", () => {
    assert.equal(findChecksum(`${SUM}  tool.tgz.sig\n${SUM}  tool`, "tool.tgz"), undefined);
    assert.equal(findChecksum("<html>not found</html>", "tool.tgz"), undefined);
    assert.equal(findChecksum("abc  tool.tgz", "tool.tgz"), undefined);
  });
});

describe("platforms", () => {
  it("are spelt as each publisher spells them", () => {
    const arm = thisPlatform("linux", "arm64");
    assert.equal(
      fillTemplate("${os}/${arch}/${x64}/${machine}-v${version}", "1.2", arm),
      "linux/arm64/arm64/aarch64-v1.2",
    );
    assert.equal(fillTemplate("${os}-${x64}", "1.2", thisPlatform("darwin", "x64")), "darwin-x64");
    assert.throws(() => fillTemplate("${arc}", "1.2", arm), /\$\{arc\} is none of/);
    assert.throws(() => thisPlatform("win32", "x64"), /not supported/);
  });
});

describe("zip archives", () => {
  let scratch: Scratch;
  beforeEach(() => (scratch = new Scratch()));
  afterEach(() => scratch.remove());

  /** One entry, as a zip program writes it. */
  const zip = (name: string, content: Buffer, method: number): string => {
    const packed = method === 8 ? zlib.deflateRawSync(content) : content;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(0o100755 * 0x10000, 38);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(1, 10);
    end.writeUInt32LE(30 + name.length + packed.length, 16);
    const file = path.join(scratch.root, "archive.zip");
    fs.writeFileSync(file, Buffer.concat([local, Buffer.from(name), packed, entry, Buffer.from(name), end]));
    return file;
  };

  for (const method of [0, 8])
    it(`are unpacked with their modes, method ${method}`, () => {
      const content = Buffer.from("content ".repeat(100));
      unzip(zip("dir/vault", content, method), scratch.root);
      assert.deepEqual(fs.readFileSync(path.join(scratch.root, "dir/vault")), content);
      assert.equal(fs.statSync(path.join(scratch.root, "dir/vault")).mode & 0o777, 0o755);
    });

  it("cannot write outside the destination", () => {
    assert.throws(() => unzip(zip("../vault", Buffer.from("x"), 0), path.join(scratch.root, "into")), /leads outside/);
  });

  it("that are none are refused", () => {
    const file = path.join(scratch.root, "archive.zip");
    fs.writeFileSync(file, "<html>");
    assert.throws(() => unzip(file, scratch.root), /not a zip archive/);
  });
});

describe("progress", () => {
  it("in a log has a line at the start, heartbeats and a line at the end", async () => {
    const lines: string[] = [];
    const step = lineProgress((line) => lines.push(line), 5).start(
      "[3/12]",
      "kubernetes",
      "building 1.34.2 from source",
    );
    step.note("go build kubelet");
    await new Promise((resolve) => setTimeout(resolve, 20));
    step.done();
    const count = lines.length;
    assert.equal(lines[0], "[3/12] kubernetes: building 1.34.2 from source");
    assert.equal(lines[1], "[3/12] kubernetes: 0 s so far, go build kubelet");
    assert.equal(lines.at(-1), "[3/12] kubernetes: ready in 0 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(lines.length, count, "no heartbeat after the end");
  });
});

describe("tables", () => {
  it("align their columns", () => {
    assert.equal(
      table(
        ["A", "BB"],
        [
          ["aaa", "b"],
          ["a", ""],
        ],
      ),
      "A    BB\naaa  b\na",
    );
  });
});
