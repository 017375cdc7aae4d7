import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensure } from "../../../toolchain";
import type { DownloadFile, LockItem } from "../../../toolchain/lock";
import { platformKey, thisPlatform } from "../../../toolchain/platform";
import { FakeOrigin, sha256 } from "./fakeOrigin";
import { Scratch, goItem } from "./scratch";

const PROGRAM = Buffer.from(`#!/bin/sh\necho tool 1.0.0\n${"# padding\n".repeat(2000)}`);
const SERVED = "/files.example.org/v1.0.0/tool";

/** Published, and buildable: so a test sees whether a failed download is quietly built instead. */
function published(file: Partial<DownloadFile> = {}): LockItem {
  const sums = { [platformKey(thisPlatform())]: sha256(PROGRAM) };
  return goItem("tool", {
    noDownload: undefined,
    download: {
      diskMB: 1,
      files: [
        { url: "https://files.example.org/v${version}/tool", sha256: sums, install: [{ to: "bin/tool" }], ...file },
      ],
    },
  });
}

describe("official downloads", () => {
  let scratch: Scratch;
  let origin: FakeOrigin;

  beforeEach(async () => {
    scratch = new Scratch();
    origin = new FakeOrigin();
    scratch.origin = await origin.start();
    scratch.fakeGo();
    scratch.recipe("tool", "built");
    origin.files.set(SERVED, { body: PROGRAM });
  });

  afterEach(async () => {
    await origin.stop();
    scratch.remove();
  });

  const get = (item = published()): ReturnType<typeof ensure> => ensure(["tool"], scratch.options({ tool: item }));

  const assertNothingInstalled = (): void => {
    assert.deepEqual(scratch.stored(), []);
    assert.deepEqual(scratch.goCalls(), [], "a failed download must not be built instead");
  };

  it("are checked, installed and run, and Go is never called", async () => {
    const toolchain = await get();
    assert.equal(execFileSync(toolchain.bin("tool"), { encoding: "utf8" }), "tool 1.0.0\n");
    assert.equal(execFileSync(path.join(toolchain.path, "tool"), { encoding: "utf8" }), "tool 1.0.0\n");
    assert.deepEqual(scratch.goCalls(), []);
    assert.match(scratch.lines[0] ?? "", /^\[1\/1\] tool: downloading 1\.0\.0/);
  });

  it("are not asked for twice", async () => {
    await get();
    await get();
    assert.equal(origin.asked.length, 1);
  });

  it("with another content are refused, naming item, sums and address", async () => {
    origin.files.set(SERVED, { body: Buffer.from("something else") });
    const error = await get().then(
      () => assert.fail("a wrong file was accepted"),
      (reason: Error) => reason,
    );
    assert.match(error.message, /toolchain item tool: checksum mismatch/);
    assert.match(error.message, new RegExp(`expected sha256 ${sha256(PROGRAM)}`));
    assert.match(error.message, new RegExp(`got +sha256 ${sha256(Buffer.from("something else"))}`));
    assert.ok(error.message.includes(`${scratch.origin}${SERVED}`));
    assert.match(error.message, /npm run toolchain -- build tool/);
    assertNothingInstalled();
  });

  it("are continued where the connection was cut", async () => {
    origin.files.set(SERVED, { body: PROGRAM, cut: { after: 5000, times: 2 } });
    await get();
    const ranges = origin.asked.map(({ range }) => range);
    assert.deepEqual(ranges, [undefined, "bytes=5000-", "bytes=10000-"]);
  });

  it("are continued by the next run when this one gives up", async () => {
    origin.files.set(SERVED, { body: PROGRAM, cut: { after: 100, times: 4 } });
    await assert.rejects(get(), /connection|terminated|ended|closed/);
    assertNothingInstalled();
    await get();
    assert.equal(origin.asked.at(-1)?.range, "bytes=400-");
  }).timeout(10_000);

  it("start anew when the server cannot continue", async () => {
    origin.files.set(SERVED, { body: PROGRAM, cut: { after: 5000, times: 1 }, ignoresRanges: true });
    const toolchain = await get();
    assert.deepEqual(fs.readFileSync(toolchain.bin("tool")), PROGRAM);
  });

  it("start anew when what an earlier run left does not fit", async () => {
    origin.files.set(SERVED, { body: PROGRAM, cut: { after: 100, times: 4 } });
    await assert.rejects(get());
    const downloads = path.join(scratch.cache, "build", "downloads");
    const part = path.join(downloads, fs.readdirSync(downloads)[0] ?? "");
    fs.writeFileSync(part, "x".repeat(400));
    const toolchain = await get();
    assert.deepEqual(fs.readFileSync(toolchain.bin("tool")), PROGRAM);
  }).timeout(10_000);

  it("that are missing are an error, not a reason to build", async () => {
    origin.files.clear();
    await assert.rejects(get(), /answered 404/);
    assertNothingInstalled();
  });

  it("without a committed sum are checked against the publisher's list", async () => {
    const file = { sha256: undefined, checksums: "https://files.example.org/v${version}/SUMS" };
    origin.files.set("/files.example.org/v1.0.0/SUMS", { body: Buffer.from(`${sha256(PROGRAM)}  ./tool\n`) });
    await get(published(file));
    const sha1 = crypto.createHash("sha1").update("another").digest("hex");
    origin.files.set("/files.example.org/v1.0.0/SUMS", { body: Buffer.from(`${sha1}  tool\n`) });
    await assert.rejects(
      get(published({ ...file, install: [{ to: "bin/tool" }, { to: "bin/again" }] })),
      /expected sha1 .*SUMS/,
    );
  });

  it("are unpacked from archives", async () => {
    const content = path.join(scratch.root, "tool-1.0.0");
    fs.mkdirSync(content);
    fs.writeFileSync(path.join(content, "tool"), PROGRAM);
    const archive = path.join(scratch.root, "tool.tgz");
    execFileSync("tar", ["-czf", archive, "-C", scratch.root, "tool-1.0.0"]);
    const body = fs.readFileSync(archive);
    origin.files.set("/files.example.org/tool.tgz", { body });
    const toolchain = await get(
      published({
        url: "https://files.example.org/tool.tgz",
        sha256: { [platformKey(thisPlatform())]: sha256(body) },
        install: [{ from: "tool-${version}/tool", to: "bin/tool" }],
      }),
    );
    assert.deepEqual(fs.readFileSync(toolchain.bin("tool")), PROGRAM);
  });

  it("that lack a promised executable are refused", async () => {
    await assert.rejects(get({ ...published(), provides: ["tool", "toolctl"] }), /no executable toolctl/);
    assertNothingInstalled();
  });
});
