import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { run } from "../../checks/command";
import { NAME, ROOT, broughtUp, copyOfProject } from "./world";

const GUIDE = path.join(ROOT, "docs", "apps.md");

/** What the guide has a developer type, for the local cluster of this run. */
const steps = (): string[] =>
  [...fs.readFileSync(GUIDE, "utf8").matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) =>
    block
      .replaceAll("npm run up\n", `npm run up -- --name ${NAME}\n`)
      .replaceAll("npm run -s env", `$& -- --name ${NAME}`),
  );

describe("a new application", function () {
  this.timeout(600_000);
  let copy = "";
  before(async () => {
    await broughtUp();
    copy = await copyOfProject();
  });
  after(() => fs.rmSync(copy, { recursive: true, force: true }));

  it("[003.21] runs under a host of its own after the commands of the guide, and passes all policies", async () => {
    const script = steps().join("\n");
    assert.match(script, /app -- new hello.*npm run up.*curl --resolve/s);
    const { code, out, all } = await run("bash", ["-euo", "pipefail", "-c", script], { cwd: copy });
    assert.equal(code, 0, all);
    assert.match(out, /^hello from hello$/m);
    assert.match(out, /^listening on port 3000$/m);
  });
});
