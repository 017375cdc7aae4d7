import assert from "node:assert/strict";
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { filesOf } from "../../sandbox/layout";
import { processesOf, signal } from "../../sandbox/processes";
import { existing } from "../../sandbox/settings";
import { NAME, broughtUp, kubectl, platform, pulumi, shell } from "../live/world";

const STACK = "dev";
const SECOND = `${NAME}-second`;

describe("a second cluster beside the first", function () {
  this.timeout(600_000);

  before(broughtUp);
  after(() => platform("sandbox", ["down", "--name", SECOND]));

  it("heals when killed in parts while it comes up", async () => {
    const up = platform("sandbox", ["up", "--name", SECOND]);
    await sleep(8000);
    const [first, second] = [existing(NAME), existing(SECOND)];
    assert.ok(first && second, "the second sandbox has claimed its slot");
    assert.notEqual(second.slot, first.slot);
    // A part of everything it runs, killed at once.
    for (const [index, part] of processesOf(second.dir).entries()) if (index % 3 === 0) signal(part, "SIGKILL");
    const healed = await up;
    assert.equal(healed.code, 0, healed.all);
    assert.match(healed.all, /machine \S+ ended, starting it again/);
  });

  it("[000.2] is refused by a stack of the first with nothing written, and the state keeps all it has", async () => {
    const layout = existing(SECOND);
    assert.ok(layout);
    const env = { ...(await shell()), KUBECONFIG: filesOf(layout.dir).kubeconfig };
    const before = await pulumi(["stack", "export", "-s", STACK]);
    for (const verb of ["preview", "up"]) {
      const refused = await pulumi([verb, "-s", STACK, ...(verb === "up" ? ["--yes"] : [])], { env });
      assert.notEqual(refused.code, 0, refused.all);
      assert.match(refused.all, /refused: stack dev belongs to cluster [0-9a-f-]+, but context .*Nothing was written/);
    }
    const namespaces = await kubectl(["get", "namespaces", "-o", "name"], { env });
    assert.match(namespaces, /kube-system/);
    assert.doesNotMatch(namespaces, /dev-/);
    for (const verb of ["refresh", "destroy"]) {
      const refused = await pulumi([verb, "-s", STACK, "--yes", "--skip-preview"], { env });
      assert.notEqual(refused.code, 0, refused.all);
      assert.match(refused.all, /refused: this stack belongs to the cluster|cluster is unreachable/);
    }
    const after = await pulumi(["stack", "export", "-s", STACK]);
    const urns = (text: string): string[] => {
      const { deployment } = JSON.parse(text) as { deployment: { resources: { urn: string }[] } };
      return deployment.resources.map(({ urn }) => urn).sort();
    };
    assert.ok(urns(before.out).length > 40);
    assert.deepEqual(urns(after.out), urns(before.out));
  });

  it("leaves no trace when it is removed after all of it was killed, and the first is untouched", async () => {
    const layout = existing(SECOND);
    assert.ok(layout);
    for (const part of processesOf(layout.dir)) signal(part, "SIGKILL");
    const down = await platform("sandbox", ["down", "--name", SECOND]);
    assert.equal(down.code, 0, down.all);
    assert.deepEqual(processesOf(layout.dir), []);
    assert.equal(fs.readdirSync("/sys/class/net").filter((link) => link.startsWith(layout.bridge)).length, 0);
    assert.doesNotMatch(fs.readFileSync("/proc/self/mountinfo", "utf8"), new RegExp(layout.dir));
    assert.ok(!fs.existsSync(layout.dir));
    const groups = fs.readdirSync("/sys/fs/cgroup", { recursive: false, encoding: "utf8" });
    for (const group of groups) assert.ok(!fs.existsSync(`/sys/fs/cgroup/${group}/platform-${layout.bridge}`), group);
    assert.ok(!fs.existsSync(`/sys/fs/cgroup/platform-${layout.bridge}`));
    assert.match((await kubectl(["get", "nodes", "-o", "name"])).trim(), /node3$/);
  });
});
