import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { judgeObject, type Judgement } from "../../policy/judge";
import { type Profile, VERSIONS } from "../../policy/rules/options";
import type { Manifest } from "../../policy/rules/manifest";
import { admission, places, predicted } from "./admitted";
import { fixtures, MODULE } from "./fixtures";
import { carry, JUDGEMENT } from "./manifests";

/** Files are called after their check, in lower case and numbered. */
const checkOf = (file: string): string => file.replace(/\d*\.yaml$/, "");

/** The API server's policies, by themselves, name the same places. */
function heldInApiServer(pod: Manifest, level: Profile, version: number): void {
  const options = { ...JUDGEMENT.options, podSecurity: { level, version } };
  const judgement: Judgement = { ...JUDGEMENT, gate: "admission", options };
  assert.deepEqual(places(admission(["x"], judgement, { object: pod })), predicted(pod, judgement));
}

/** The public checks that are found broken, in lower case as the files are. */
function broken(manifest: Manifest, level: Profile, version: number): string[] {
  const judgement = { ...JUDGEMENT, options: { ...JUDGEMENT.options, podSecurity: { level, version } } };
  const { findings } = judgeObject({ manifest, pulumiName: "x" }, judgement);
  const controls = findings.flatMap((finding) => finding.controls);
  return [...new Set(controls)].flatMap((each) => (each.startsWith("psa:") ? [each.slice(4).toLowerCase()] : []));
}

describe("Kubernetes' own Pod Security fixtures", function () {
  this.timeout(180_000);
  let root: string;
  before(function () {
    const found = fixtures();
    if (typeof found === "string") root = found;
    else {
      console.error(`SKIPPED: the fixtures of ${MODULE} need Go and a module proxy: ${found.message.split("\n")[0]}`);
      this.skip();
    }
  });

  for (const level of ["baseline", "restricted"] as const) {
    for (let version = VERSIONS.oldest; version <= VERSIONS.newest; version++) {
      const read = (way: "pass" | "fail"): [string, Manifest][] => {
        const folder = join(root, level, `v1.${version}`, way);
        return readdirSync(folder).map((file) => [file, parse(readFileSync(join(folder, file), "utf8")) as Manifest]);
      };

      it(`${level} 1.${version}: every faulty pod is found, by its own check`, () => {
        const pods = read("fail");
        assert.ok(pods.length > 20);
        for (const [file, pod] of pods) {
          const found = broken(pod, level, version);
          assert.ok(found.includes(checkOf(file)), `${file}: found ${found.join(", ") || "nothing"}`);
          const deployed = carry("CronJob", { metadata: pod.metadata, spec: pod.spec }).manifest;
          assert.deepEqual(broken(deployed, level, version), found, `${file} in a CronJob`);
          heldInApiServer(pod, level, version);
        }
      });

      it(`${level} 1.${version}: every sound pod passes`, () => {
        const pods = read("pass");
        assert.ok(pods.length > 5);
        for (const [file, pod] of pods) {
          assert.deepEqual(broken(pod, level, version), [], file);
          heldInApiServer(pod, level, version);
        }
      });
    }
  }

  it("know no newer version than the rules do", () => {
    const versions = readdirSync(join(root, "restricted")).map((each) => Number(each.replace("v1.", "")));
    assert.equal(Math.max(...versions), VERSIONS.newest);
  });
});
