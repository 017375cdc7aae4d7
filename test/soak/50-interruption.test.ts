import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { filesOf, sandboxDir } from "../../sandbox/layout";
import { backendOf, leftovers, pulumiProcesses } from "../../sandbox/pulumiProcesses";
import { isAlive } from "../../toolchain/processes";
import { NAME, ROOT, eventually, get, kubectl, outputs, platform, pulumi, shell } from "../live/world";

/** How often `npm run up` is killed: a few times in `npm test`, as often as wanted by PLATFORM_TEST_KILLS. */
const KILLS = Number(process.env.PLATFORM_TEST_KILLS ?? 3);

const BACKEND = backendOf(sandboxDir(NAME));
/** Resolves when a run is so far that its plugins work; those of an earlier run do not count. */
const pluginsWork = (): Promise<void> =>
  eventually(() => {
    const left = new Set(leftovers(BACKEND).map(({ pid }) => pid));
    const working = pulumiProcesses(BACKEND).filter(
      ({ name, pid }) => /^pulumi-resource-/.test(name) && !left.has(pid),
    );
    return Promise.resolve(assert.notDeepEqual(working, []));
  }, 120_000);

/** Starts npm run up in a process group of its own, and kills the group at that moment. */
async function killedUp(moment: Promise<unknown>): Promise<void> {
  const up = spawn(process.execPath, [path.join(ROOT, "commands", "run.mjs"), "up", "--name", NAME], {
    cwd: ROOT,
    detached: true,
    stdio: "ignore",
  });
  const ended = new Promise((done) => up.once("close", done));
  await Promise.race([ended, moment]);
  try {
    assert.ok(up.pid);
    process.kill(-up.pid, "SIGKILL");
  } catch {
    // It was done before the blow fell.
  }
  await ended;
}

interface Metadata {
  readonly namespace: string;
  readonly name: string;
  readonly ownerReferences?: readonly { readonly name: string }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What the state knows an object by: itself, or what a controller made it for. */
const makerOf = ({ name, ownerReferences, annotations }: Metadata): string =>
  ownerReferences?.[0]?.name ??
  annotations?.["cert-manager.io/certificate-name"] ??
  (name === "vault-seal" ? "vault" : name);

interface Snapshot {
  resources: { readonly urn: string; readonly type: string; readonly id?: string; readonly inputs?: object }[];
  pending_operations?: object[];
}

describe("interruption: npm run up is killed at any moment and converges", function () {
  this.timeout(KILLS * 120_000 + 600_000);

  it(`kill -9 at ${KILLS} moments of a first bring-up, then npm run up`, async () => {
    const removed = await platform("down", ["--name", NAME]);
    assert.equal(removed.code, 0, removed.all);
    for (let kill = 0; kill < KILLS; kill++) await killedUp(sleep(3000 + ((kill * 7919) % 10) * 2500));
    // And once while plugins work for certain. They are in process groups of their own, and the kill does not reach them.
    await killedUp(pluginsWork());
    const orphans = await eventually(() => {
      const left = leftovers(BACKEND);
      assert.notDeepEqual(left, [], "the kill left nothing behind: this test proves nothing");
      return Promise.resolve(left);
    }, 5000);
    const { code, all } = await platform("up", ["--name", NAME]);
    assert.equal(code, 0, all);
    assert.match(all, /ending processes of Pulumi that nobody needs any more: /);
    assert.deepEqual(orphans.filter(isAlive), []);
    assert.deepEqual(pulumiProcesses(BACKEND), []);
    assert.equal((await get((await outputs("dev")).endpoints["visit-tracker"] ?? "")).status, 200);
  });

  it("leaves no object behind that the state does not know", async () => {
    const { out } = await pulumi(["stack", "export", "-s", "dev"]);
    const state = (JSON.parse(out) as { deployment: Snapshot }).deployment;
    assert.deepEqual(state.pending_operations ?? [], []);
    const known = new Set(state.resources.map(({ id }) => id));
    const kinds = "configmaps,secrets,services,deployments,statefulsets,networkpolicies,resourcequotas,limitranges";
    const live = JSON.parse(await kubectl(["get", kinds, "-A", "-o", "json"])) as {
      items: { kind: string; metadata: Metadata }[];
    };
    const ours = live.items.filter(
      ({ metadata }) => metadata.namespace.startsWith("dev-") && metadata.name !== "kube-root-ca.crt",
    );
    assert.ok(ours.length > 10);
    assert.deepEqual(
      ours
        .filter(({ metadata }) => !known.has(`${metadata.namespace}/${makerOf(metadata)}`))
        .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
      [],
    );
  });

  it("takes over what a killed run had created, and forgets what it had not", async () => {
    // As a kill leaves it between the cluster's answer and the writing of the state.
    const file = path.join(filesOf(sandboxDir(NAME)).state, ".pulumi", "stacks", "platform", "dev.json");
    const state = JSON.parse(fs.readFileSync(file, "utf8")) as { checkpoint: { latest: Snapshot } };
    const { latest } = state.checkpoint;
    const mentions = (urn: string): number => JSON.stringify(latest).split(`"${urn}"`).length - 1;
    const created = latest.resources.find(({ type, urn }) => type.endsWith(":NetworkPolicy") && mentions(urn) === 1);
    assert.ok(created, "an object that no other depends on");
    const { id, ...rest } = created;
    const missing = {
      ...rest,
      urn: `${rest.urn}-missing`,
      inputs: { metadata: { namespace: "dev-apps", name: "missing" } },
    };
    latest.resources = latest.resources.filter((resource) => resource !== created);
    latest.pending_operations = [rest, missing].map((resource) => ({ resource, type: "creating" }));
    fs.writeFileSync(file, JSON.stringify(state));

    const { code, all } = await platform("up", ["--name", NAME]);
    assert.equal(code, 0, all);
    assert.match(all, /interrupted in 2 operation\(s\)/);
    const update = all.slice(all.indexOf("Previewing update"));
    assert.doesNotMatch(update, /\d+ (created|replaced|deleted)/, update);
    const { out } = await pulumi(["stack", "export", "-s", "dev"]);
    const after = (JSON.parse(out) as { deployment: Snapshot }).deployment;
    assert.deepEqual(after.pending_operations ?? [], []);
    assert.equal(after.resources.find(({ urn }) => urn === created.urn)?.id, id);
    assert.equal(after.resources.length, latest.resources.length + 1);
  });

  it("two runs at once both end well", async () => {
    const both = await Promise.all([platform("up", ["--name", NAME]), platform("up", ["--name", NAME])]);
    for (const { code, all } of both) assert.equal(code, 0, all);
    assert.ok(await shell());
  });
});
