import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parseDocument } from "yaml";
import { noneLost, underLoad } from "../live/load";
import { NAME, broughtUp, copyOfProject, eventually, kubectl, outputs, platform, pulumi } from "../live/world";

const STACK = "dev";
const APP = "visit-tracker";
const MAX = 3;
/** Nobody's patience, but the autoscaler's: it waits five minutes before it lets a replica go. */
const CALM_MS = 480_000;

describe("autoscale: replicas follow the load", function () {
  this.timeout(1_200_000);
  let copy = "";

  before(async () => {
    await broughtUp();
    copy = await copyOfProject();
    const file = path.join(copy, `Pulumi.${STACK}.yaml`);
    const settings = parseDocument(fs.readFileSync(file, "utf8"));
    settings.setIn(["config", "platform:apps", APP, "autoscale"], { min: 1, max: MAX, cpu: 60 });
    fs.writeFileSync(file, settings.toString());
    const { code, all } = await platform("up", ["--name", NAME], { cwd: copy });
    assert.equal(code, 0, all);
  });

  after(async () => {
    fs.rmSync(copy, { recursive: true, force: true });
    const { code, all } = await platform("up", ["--name", NAME]);
    assert.equal(code, 0, all);
  });

  const replicas = async (what: "spec" | "status"): Promise<number> => {
    const field = what === "spec" ? "{.spec.replicas}" : "{.status.readyReplicas}";
    return Number(await kubectl(["get", "deployment", APP, "-n", `${STACK}-apps`, "-o", `jsonpath=${field}`]));
  };

  it("[003.13] [004.11] grows under load, is let alone by an update, no drift, shrinks afterwards, and loses no request", async () => {
    const { edge } = await outputs(STACK);
    const host = new URL(edge.hosts[APP] ?? "").hostname;
    assert.equal(await replicas("spec"), 1);
    // The page costs the application more than a look at its health.
    const grow = async (): Promise<void> => {
      await eventually(async () => assert.ok((await replicas("status")) > 1, "still one replica"), 240_000);
      const wanted = await replicas("spec");
      const { code, all } = await pulumi(["up", "-s", STACK, "--yes", "--skip-preview", "--expect-no-changes"], {
        cwd: copy,
      });
      assert.equal(code, 0, all);
      assert.ok((await replicas("spec")) >= wanted, "the update has reset the replicas");
      const drift = await platform("drift", ["--name", NAME, "--stack", STACK], { cwd: copy });
      assert.equal(drift.code, 0, drift.all);
    };
    noneLost(await underLoad(0, [edge, host, "/"], grow));
    const shrink = (): Promise<void> => eventually(async () => assert.equal(await replicas("spec"), 1), CALM_MS);
    noneLost(await underLoad(0, [edge, host, "/api/healthz"], shrink, { workers: 1, pauseMs: 1000 }));
  });
});
