import assert from "node:assert/strict";
import * as fs from "node:fs";
import { processesOf } from "../../sandbox/processes";
import { existing } from "../../sandbox/settings";
import { NAME, kubectl, platform, pulumi, run } from "./world";

describe("down: nothing is left", function () {
  this.timeout(600_000);

  it("npm run down removes every object of the stack, and the stack", async () => {
    const { code, all } = await platform("down", ["--name", NAME]);
    assert.equal(code, 0, all);
    assert.doesNotMatch(await kubectl(["get", "namespaces", "-o", "name"]), /dev-/);
    assert.equal((await kubectl(["get", "persistentvolumes", "-o", "name"])).trim(), "");
    assert.doesNotMatch((await pulumi(["stack", "ls", "--json"])).out, /dev/);
    assert.equal((await run("git", ["status", "--porcelain", "--", "Pulumi.dev.yaml"])).out, "");
  });

  it("npm run down -- --all removes the cluster, and again says that there is nothing", async () => {
    const layout = existing(NAME);
    assert.ok(layout);
    const { code, all } = await platform("down", ["--all", "--name", NAME]);
    assert.equal(code, 0, all);
    assert.deepEqual(processesOf(layout.dir), []);
    assert.ok(!fs.existsSync(layout.dir));
    assert.equal(fs.readdirSync("/sys/class/net").filter((link) => link.startsWith(layout.bridge)).length, 0);
    assert.doesNotMatch(fs.readFileSync("/proc/self/mountinfo", "utf8"), new RegExp(layout.dir));
    const again = await platform("down", ["--all", "--name", NAME]);
    assert.equal(again.code, 0, again.all);
    assert.match(again.all, /nothing to remove/);
  });
});
