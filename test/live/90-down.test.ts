import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { sandboxDir } from "../../sandbox/layout";
import { processesOf } from "../../sandbox/processes";
import { type PulumiProcess, backendOf, leftovers, pulumiProcesses } from "../../sandbox/pulumiProcesses";
import { existing } from "../../sandbox/settings";
import { isAlive } from "../../toolchain/processes";
import { NAME, ROOT, eventually, kubectl, platform, pulumi, run, shell } from "./world";

const BACKEND = backendOf(sandboxDir(NAME));

/** A pulumi typed by hand in the shell of npm run env, killed as soon as its plugins work. */
async function killedByHand(): Promise<readonly PulumiProcess[]> {
  const preview = spawn("pulumi", ["preview", "-s", "dev", "--non-interactive"], {
    cwd: ROOT,
    env: await shell(),
    stdio: "ignore",
  });
  const ended = once(preview, "close");
  await eventually(
    () => Promise.resolve(assert.ok(pulumiProcesses(BACKEND).some(({ name }) => name.startsWith("pulumi-resource-")))),
    120_000,
  );
  preview.kill("SIGKILL");
  await ended;
  return eventually(() => {
    const left = leftovers(BACKEND);
    assert.notDeepEqual(left, [], "the kill left nothing behind: this test proves nothing");
    return Promise.resolve(left);
  }, 5000);
}

describe("down: nothing is left", function () {
  this.timeout(600_000);

  // Suites before may have left them standing.
  before(async () => {
    for (const stack of ["prod", "qa"]) {
      const { code, all } = await platform("down", ["--name", NAME, "--stack", stack]);
      assert.equal(code, 0, all);
    }
  });

  it("npm run down removes every object of the stack, and the stack, also when External Secrets and Vault are dead", async () => {
    await kubectl(["scale", "deployment/external-secrets", "-n", "platform-operators", "--replicas=0"]);
    await kubectl(["scale", "statefulset/vault", "-n", "dev-secrets", "--replicas=0"]);
    const orphans = await killedByHand();
    const { code, all } = await platform("down", ["--name", NAME]);
    assert.equal(code, 0, all);
    assert.match(all, /External Secrets does not let go of dev-/);
    assert.deepEqual(orphans.filter(isAlive), []);
    assert.deepEqual(pulumiProcesses(BACKEND), []);
    assert.doesNotMatch(await kubectl(["get", "namespaces", "-o", "name"]), /dev-/);
    assert.equal((await kubectl(["get", "persistentvolumes", "-o", "name"])).trim(), "");
    assert.doesNotMatch((await pulumi(["stack", "ls", "--json"])).out, /dev/);
    assert.doesNotMatch(fs.readFileSync("/etc/hosts", "utf8"), new RegExp(`platform ${NAME}/`));
    assert.equal((await run("git", ["status", "--porcelain", "--", "Pulumi.dev.yaml"])).out, "");
  });

  it("npm run down -- --all removes the cluster, and again says that there is nothing", async () => {
    const layout = existing(NAME);
    assert.ok(layout);
    assert.equal((await pulumi(["stack", "init", "dev", "--no-select"])).code, 0);
    const orphans = await killedByHand();
    const { code, all } = await platform("down", ["--all", "--name", NAME]);
    assert.equal(code, 0, all);
    assert.deepEqual(orphans.filter(isAlive), []);
    assert.deepEqual(pulumiProcesses(BACKEND), []);
    assert.deepEqual(processesOf(layout.dir), []);
    assert.ok(!fs.existsSync(layout.dir));
    assert.equal((await run("git", ["status", "--porcelain", "--", "Pulumi.dev.yaml"])).out, "");
    assert.equal(fs.readdirSync("/sys/class/net").filter((link) => link.startsWith(layout.bridge)).length, 0);
    assert.doesNotMatch(fs.readFileSync("/proc/self/mountinfo", "utf8"), new RegExp(layout.dir));
    const again = await platform("down", ["--all", "--name", NAME]);
    assert.equal(again.code, 0, again.all);
    assert.match(again.all, /nothing to remove/);
  });
});
