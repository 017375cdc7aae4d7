import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { existing } from "../../sandbox/settings";
import { filesOf } from "../../sandbox/layout";
import { NAME, broughtUp, copyOfProject, eventually, get, itHolds, kubectl, outputs, platform, pulumi } from "./world";

const STACK = "dev";
const visits = async (url: string): Promise<number> => {
  const { status, body } = await get(`${url}/api/visits`);
  assert.equal(status, 200, body);
  return (JSON.parse(body) as { visits: number }).visits;
};

describe("program: the first slice, on a real cluster", function () {
  this.timeout(900_000);
  let endpoint = "";

  before(async () => {
    await broughtUp();
    endpoint = (await outputs(STACK)).endpoints["visit-tracker"] ?? "";
  });

  itHolds(STACK);

  it("[000.13] keeps the count when the Redis pod and then the application's pod are deleted", async () => {
    await get(endpoint);
    const counted = await visits(endpoint);
    await kubectl(["delete", "pod", "-n", `${STACK}-data`, "-l", "app.kubernetes.io/name=redis"]);
    await eventually(async () => assert.equal(await visits(endpoint), counted), 60_000);
    await kubectl(["delete", "pod", "-n", `${STACK}-apps`, "-l", "app.kubernetes.io/name=visit-tracker"]);
    await eventually(async () => assert.equal(await visits(endpoint), counted), 60_000);
    await get(endpoint);
    assert.equal(await visits(endpoint), counted + 1);
  });

  it("changes nothing the second time, by npm run up and by hand", async () => {
    const again = await platform("up", ["--name", NAME]);
    assert.equal(again.code, 0, again.all);
    assert.match(again.all, /Resources:\s+\d+ unchanged/);
    assert.doesNotMatch(again.all, /\d+ (created|updated|replaced|deleted)/);
    const byHand = await pulumi(["up", "-s", STACK, "--yes", "--expect-no-changes"]);
    assert.equal(byHand.code, 0, byHand.all);
    await platform("env", ["--name", NAME]);
  });

  it("[003.5] rolls out a changed line of source, and nothing for an ignored file or an emptied Docker", async () => {
    const copy = await copyOfProject();
    const app = path.join(copy, "apps", "visit-tracker");
    try {
      fs.appendFileSync(path.join(app, "README.md"), "\nA line that no image sees.\n");
      const ignored = await pulumi(["preview", "-s", STACK, "--expect-no-changes"], { cwd: copy });
      assert.equal(ignored.code, 0, ignored.all);

      const layout = existing(NAME);
      assert.ok(layout);
      assert.equal((await platform("sandbox", ["kill", "docker", "--name", NAME])).code, 0);
      fs.rmSync(path.join(filesOf(layout.dir).machines, "docker", "var", "lib", "docker"), {
        recursive: true,
        force: true,
      });
      assert.equal((await platform("sandbox", ["up", "--name", NAME])).code, 0);
      const emptied = await pulumi(["up", "-s", STACK, "--yes", "--expect-no-changes"], { cwd: copy });
      assert.equal(emptied.code, 0, emptied.all);

      const before = (await outputs(STACK)).releases["visit-tracker"]?.image;
      const asked = ["get", "deployment", "visit-tracker", "-n", `${STACK}-apps`, "-o"];
      const uid = await kubectl([...asked, "jsonpath={.metadata.uid}"]);
      fs.appendFileSync(path.join(app, "Dockerfile"), "\n# One line more.\n");
      const source = path.join(app, "next.config.ts");
      fs.appendFileSync(source, "\n// One line more.\n");
      const changed = await pulumi(["up", "-s", STACK, "--yes", "--skip-preview"], { cwd: copy });
      assert.equal(changed.code, 0, changed.all);
      const after = (await outputs(STACK)).releases["visit-tracker"]?.image;
      assert.notEqual(after, before);
      assert.equal(await kubectl([...asked, "jsonpath={..containers[0].image}"]), after);
      // Rolled out: one that was made anew had nobody serve meanwhile.
      assert.equal(await kubectl([...asked, "jsonpath={.metadata.uid}"]), uid);
      await eventually(() => visits(endpoint), 30_000);
    } finally {
      fs.rmSync(copy, { recursive: true, force: true });
    }
  });
});
