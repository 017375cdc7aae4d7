import assert from "node:assert/strict";
import { DOORS, STACK, asTheyRun, kept } from "./doors";
import { noneLost, underLoad } from "./load";
import { NAME, broughtUp, outputs, platform, pulumi } from "./world";

describe("rotation: another password in Vault is enough", function () {
  this.timeout(600_000);
  before(broughtUp);

  const rotate = (...args: string[]): ReturnType<typeof platform> =>
    platform("rotate", ["--name", NAME, "--stack", STACK, ...args]);

  it("[000.12] lists what there is, and refuses what it does not know before anything is written", async () => {
    const { out, code } = await rotate("--list");
    assert.equal(code, 0);
    for (const name of [...Object.keys(DOORS), "app/one-time-secret/OTS_KEY"]) assert.ok(out.includes(name), out);
    for (const name of ["redis/nobody", "app/one-time-secret/OTS_KEY"]) {
      const refused = await rotate(name);
      assert.equal(refused.code, 2, refused.all);
      assert.match(refused.all, /redis\/app/);
    }
  });

  for (const [name, { path, says, load }] of Object.entries(DOORS))
    it(`[001.14] ${name}: no request fails, no pod is another, and the former password is refused`, async () => {
      const { edge } = await outputs(STACK);
      const host = new URL(edge.hosts[load[0]] ?? "").hostname;
      const before = await asTheyRun();
      const former = await kept(path[0], path[1]);
      assert.equal(await says(former), "yes");
      const requests = await underLoad(20, [edge, host, load[1]], async () => {
        const { code, all } = await rotate(name);
        console.log(all.replace(/^/gm, "      "));
        assert.equal(code, 0, all);
        assert.ok(!all.includes(former));
      });
      noneLost(requests);
      const now = await kept(path[0], path[1]);
      assert.notEqual(now, former);
      assert.equal(await says(now), "yes");
      assert.equal(await says(former), "no");
      assert.deepEqual(await asTheyRun(), before);
    });

  it("leaves nothing for an update to change, nor for a look for drift to find", async () => {
    const { code, all } = await pulumi(["preview", "-s", STACK, "--refresh", "--expect-no-changes"]);
    assert.equal(code, 0, all);
  });
});
