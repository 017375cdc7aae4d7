import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { askVault, deployerToken, readKept } from "../../checks/vault";
import { DOORS, STACK, asTheyRun } from "../live/doors";
import { noneLost, underLoad } from "../live/load";
import { broughtUp, eventually, outputs, standOf } from "../live/world";

// Until External Secrets looks, until the node hands it on, and as long as the servers hold a change for their clients.
const TAKEN_MS = 600_000;

describe("rotation: a password that is changed in Vault alone", function () {
  this.timeout(900_000);
  before(broughtUp);

  for (const [name, { path, says, load }] of Object.entries(DOORS))
    it(`[001.14] ${name}: is taken with no request lost and nothing restarted, and the former is refused`, async () => {
      const { edge } = await outputs(STACK);
      const host = new URL(edge.hosts[load[0]] ?? "").hostname;
      const stand = await standOf(STACK);
      const token = await deployerToken(stand);
      const before = await asTheyRun();
      const all = await readKept(stand, token, path[0]);
      const former = all[path[1]] ?? "";
      assert.equal(await says(former), "yes");
      const now = `${former.slice(0, 32)}-${randomUUID()}`;
      const requests = await underLoad(20, [edge, host, load[1]], async () => {
        const data = { ...all, [path[1]]: now };
        assert.equal((await askVault(stand, "POST", `kv/data/${path[0]}`, token, { data })).status, 200);
        await eventually(async () => assert.equal(await says(former), "no"), TAKEN_MS);
      });
      noneLost(requests);
      assert.equal(await says(now), "yes");
      assert.deepEqual(await asTheyRun(), before);
    });
});
