import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NAME, ROOT, get, kubectl, outputs, platform, pulumi, shell } from "./world";

/** How often `npm run up` is killed: a few times in `npm test`, as often as wanted by PLATFORM_TEST_KILLS. */
const KILLS = Number(process.env.PLATFORM_TEST_KILLS ?? 3);

describe("interruption: npm run up is killed at any moment and converges", function () {
  this.timeout(KILLS * 120_000 + 600_000);

  it(`kill -9 at ${KILLS} moments of a first bring-up, then npm run up`, async () => {
    const removed = await platform("down", ["--name", NAME]);
    assert.equal(removed.code, 0, removed.all);
    for (let kill = 0; kill < KILLS; kill++) {
      // A group of its own: the kill takes npm run up and everything it started, pulumi and its plugins among them.
      const up = spawn(process.execPath, [path.join(ROOT, "commands", "run.mjs"), "up", "--name", NAME], {
        cwd: ROOT,
        detached: true,
        stdio: "ignore",
      });
      const ended = new Promise((done) => up.once("close", done));
      await Promise.race([ended, sleep(3000 + ((kill * 7919) % 10) * 2500)]);
      try {
        process.kill(-(up.pid ?? 0), "SIGKILL");
      } catch {
        // It was done before the blow fell.
      }
      await ended;
    }
    const { code, all } = await platform("up", ["--name", NAME]);
    assert.equal(code, 0, all);
    assert.equal((await get((await outputs("dev")).endpoints["visit-tracker"] ?? "")).status, 200);
  });

  it("leaves no object behind that the state does not know", async () => {
    const { out } = await pulumi(["stack", "export", "-s", "dev"]);
    const state = JSON.parse(out) as {
      deployment: { resources: { id?: string; type: string }[]; pending_operations?: unknown[] };
    };
    assert.deepEqual(state.deployment.pending_operations ?? [], []);
    const known = new Set(state.deployment.resources.map(({ id }) => id));
    const kinds = "configmaps,secrets,services,deployments,statefulsets,networkpolicies,resourcequotas,limitranges";
    const live = JSON.parse(await kubectl(["get", kinds, "-A", "-o", "json"])) as {
      items: { kind: string; metadata: { namespace: string; name: string } }[];
    };
    const ours = live.items.filter(
      ({ metadata }) => metadata.namespace.startsWith("dev-") && metadata.name !== "kube-root-ca.crt",
    );
    assert.ok(ours.length > 10);
    assert.deepEqual(
      ours.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).filter((id) => !known.has(id)),
      [],
    );
  });

  it("two runs at once both end well", async () => {
    const both = await Promise.all([platform("up", ["--name", NAME]), platform("up", ["--name", NAME])]);
    for (const { code, all } of both) assert.equal(code, 0, all);
    assert.ok(await shell());
  });
});
