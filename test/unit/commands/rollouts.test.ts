import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Rollouts } from "../../../commands/rollouts";

const REVISION = "deployment.kubernetes.io/revision";
const CHANGE = JSON.stringify({
  resourcePreEvent: {
    metadata: { op: "update", urn: "urn", type: "kubernetes:apps/v1:Deployment", new: { custom: true } },
  },
});

/** A Deployment whose newest revision has one pod, which cannot pull its image. */
const stuck = (revision: number, image: string, conditions: object[] = []): object[] => [
  {
    kind: "Deployment",
    metadata: { name: "web", namespace: "dev-apps", uid: "d", annotations: { [REVISION]: `${revision}` } },
    status: { conditions },
  },
  {
    kind: "ReplicaSet",
    metadata: { name: "web-x", uid: "r", annotations: { [REVISION]: `${revision}` }, ownerReferences: [{ uid: "d" }] },
    spec: { template: { spec: { containers: [{ image }] } } },
  },
  {
    kind: "Pod",
    metadata: { name: "web-x-1", ownerReferences: [{ uid: "r" }] },
    status: { containerStatuses: [{ name: "app", state: { waiting: { reason: "ImagePullBackOff" } } }] },
  },
];

describe("what becomes of applications while an update replaces their pods", function () {
  this.timeout(60_000);
  let dir: string;
  let said: string[];
  let rollouts: Rollouts;

  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "rollouts-"));
    said = [];
    const script = `#!/bin/sh\necho "$*" >>${dir}/asked\ncase "$*" in *"-n dev-apps"*) cat ${dir}/apps ;; *) echo '{"items":[]}' ;; esac\n`;
    fs.writeFileSync(path.join(dir, "kubectl"), script, { mode: 0o755 });
    rollouts = new Rollouts({ PATH: `${dir}:${process.env.PATH}` }, "dev", (line) => said.push(line), 50);
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  const runs = (...items: object[]): void => fs.writeFileSync(path.join(dir, "apps"), JSON.stringify({ items }));
  const asked = (): string[] => {
    const file = path.join(dir, "asked");
    return fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
  };
  const known = (before: string[], good: object = { web: { image: "web:1" } }): Parameters<Rollouts["during"]>[0] => ({
    before: new Set(before),
    releases: () => Promise.resolve(good as Record<string, { image: string }>),
  });
  const failing = async (before: ReadonlySet<string>, good: Record<string, { image: string }>): Promise<string[]> =>
    Object.keys(await rollouts.failures(before, good));

  it("asks for two lists to know what is there", async () => {
    runs(...stuck(1, "web:1").slice(0, 1));
    assert.deepEqual([...(await rollouts.revisions())], ["d 1"]);
    assert.equal(asked().length, 2);
    for (const question of asked()) assert.match(question, / get deployments,configmaps -n dev-(apps|status) -o json$/);
  });

  it("takes for failed what is new, or another image than the one that was good", async () => {
    runs(...stuck(2, "web:2"));
    const good = { web: { image: "web:1" } };
    assert.deepEqual(await failing(new Set(["d 1"]), good), ["web"]);
    assert.deepEqual(await failing(new Set(["d 2"]), good), ["web"], "tried before, by a plain pulumi up");
    runs(...stuck(2, "web:1"));
    assert.deepEqual(await failing(new Set(["d 1"]), good), ["web"], "with other settings");
  });

  it("takes for failed neither what failed before with what was good, nor what never was good", async () => {
    runs(...stuck(2, "web:1"));
    assert.deepEqual(await failing(new Set(["d 2"]), { web: { image: "web:1" } }), []);
    assert.deepEqual(await failing(new Set(), {}), []);
  });

  /** What the switch of an application wrote down. */
  const verdict = (image: string, at: string): object => ({
    kind: "ConfigMap",
    metadata: { name: "web-release", namespace: "dev-apps" },
    data: { live: "blue", rejected: JSON.stringify({ image, reason: "it answers 500", at, release: "r", job: "j" }) },
  });

  it("takes for failed what a switch decided against, once", async () => {
    runs(...stuck(1, "web:1").slice(0, 1), verdict("web:2", "10:00"));
    const good = { web: { image: "web:1", rejected: [] } };
    assert.deepEqual(await rollouts.failures(new Set(["d 1"]), good), {
      web: { image: "web:2", reason: "it answers 500" },
    });
    const before = await rollouts.revisions();
    assert.deepEqual(await failing(before, good), ["web"], "nobody has recorded it yet");
    const recorded = { web: { image: "web:1", rejected: ["web:2"] } };
    assert.deepEqual(await failing(before, recorded), []);
    assert.deepEqual(await failing(before, {}), [], "there is nothing to go back to");
    runs(verdict("web:1", "10:00"));
    const again = await rollouts.revisions();
    assert.deepEqual(await failing(again, recorded), [], "it was held back with other settings, before");
    runs(verdict("web:1", "11:00"));
    assert.deepEqual(await failing(again, recorded), ["web"], "with other settings");
  });

  it("takes no other ConfigMap for a verdict", async () => {
    const data = { rejected: "no JSON" };
    runs(
      { kind: "ConfigMap", metadata: { name: "web-settings" }, data },
      { kind: "ConfigMap", metadata: { name: "web-release" } },
    );
    assert.deepEqual(await failing(new Set(), { web: { image: "web:1" } }), []);
  });

  it("says why a version does not get ready once the update changes a Deployment, and asks nothing before", async () => {
    runs(...stuck(2, "web:2"));
    assert.equal(await rollouts.during(known([]), () => sleep(100).then(() => 7)), 7);
    assert.deepEqual([asked(), said], [[], []]);
    await rollouts.during(known([]), async (events) => {
      fs.writeFileSync(events, `${CHANGE}\n`);
      while (said.length === 0) await sleep(50);
    });
    assert.deepEqual(said, ["web does not get ready: its image cannot be pulled: ImagePullBackOff"]);
  });

  it("ends an update whose new version the cluster has given up, once, and none for what was so before or never was good", async () => {
    runs(...stuck(2, "web:2", [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }]));
    const isEnded = (before: string[], good?: object): Promise<boolean> =>
      rollouts.during(known(before, good), async (events, signal) => {
        const sofar = asked().length;
        fs.writeFileSync(events, `${CHANGE}\n`);
        // Every namespace has been looked at, and once more.
        while (asked().length < sofar + 4 && !signal.aborted) await sleep(50);
        return signal.aborted;
      });
    assert.equal(await isEnded(["d 2"]), false);
    assert.equal(await isEnded(["d 1"], {}), false, "there is nothing to go back to");
    assert.equal(await isEnded(["d 1"]), true);
    assert.equal(await isEnded(["d 1"]), false, "the next update replaces it");
  });
});
