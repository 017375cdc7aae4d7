import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensure } from "../../../toolchain";
import { readLock } from "../../../toolchain/lock";
import { decide } from "../../../toolchain/plan";
import { thisPlatform } from "../../../toolchain/platform";
import { settingsFrom } from "../../../toolchain/settings";
import { FakeOrigin } from "./fakeOrigin";
import { Scratch } from "./scratch";

/** The lock as it is, on a machine whose publishers all answer and which has Go, too. */
describe("a connected user", () => {
  const lock = readLock();
  let scratch: Scratch;
  let origin: FakeOrigin;

  beforeEach(async () => {
    scratch = new Scratch();
    scratch.fakeGo();
    origin = new FakeOrigin();
    scratch.origin = await origin.start();
  });

  afterEach(async () => {
    await origin.stop();
    scratch.remove();
  });

  it("is led through official downloads for the engine, Docker and kind, and Go is never called", async () => {
    const needed = Object.keys(lock.items).filter((name) =>
      ["engine", "docker", "kind"].includes(lock.items[name]?.purpose ?? ""),
    );
    const settings = settingsFrom(scratch.options({}, { lock, recipes: undefined, present: false }));
    const decisions = await decide(needed, settings);
    assert.ok(decisions.size >= 8);
    for (const [name, decision] of decisions)
      assert.deepEqual([name, decision.how, "origin" in decision && decision.origin], [name, "make", "download"]);
    assert.deepEqual(scratch.goCalls(), []);
  });

  it("gets a plugin by its real entry: archive, publisher's list, PULUMI_HOME", async () => {
    const { version = "" } = lock.items["plugin-random"] ?? {};
    const { os, arch } = thisPlatform();
    fs.writeFileSync(path.join(scratch.root, "pulumi-resource-random"), "#!/bin/sh\necho plugin\n", { mode: 0o755 });
    const archive = `pulumi-resource-random-v${version}-${os}-${arch}.tar.gz`;
    execFileSync("tar", ["-czf", path.join(scratch.root, archive), "-C", scratch.root, "pulumi-resource-random"]);
    const body = fs.readFileSync(path.join(scratch.root, archive));
    const list = `${crypto.createHash("sha1").update(body).digest("hex")}  ./${archive}\n`;
    origin.files.set(`/get.pulumi.com/releases/plugins/${archive}`, { body });
    const release = `/github.com/pulumi/pulumi-random/releases/download/v${version}`;
    origin.files.set(`${release}/pulumi-random_${version}_checksums.txt`, { body: Buffer.from(list) });
    const toolchain = await ensure(
      ["plugin-random"],
      scratch.options({}, { lock, recipes: undefined, present: false }),
    );
    const plugin = path.join(toolchain.pulumiHome, "plugins", `resource-random-v${version}`, "pulumi-resource-random");
    assert.equal(execFileSync(plugin, { encoding: "utf8" }), "plugin\n");
    assert.equal(toolchain.env["PULUMI_HOME"], toolchain.pulumiHome);
    assert.deepEqual(scratch.goCalls(), []);
  });
});
