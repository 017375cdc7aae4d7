import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { localTool } from "../localTool";

const ROOT = path.resolve(__dirname, "..", "..", "..");
const DIR = path.join(ROOT, ".github", "workflows");
const FILES = fs.readdirSync(DIR);

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, { "timeout-minutes"?: number; permissions?: Record<string, string>; steps: Step[] }>;
}

const text = (file: string): string => fs.readFileSync(path.join(DIR, file), "utf8");
const workflow = (file: string): Workflow => parse(text(file)) as Workflow;
const steps = (file: string): Step[] => Object.values(workflow(file).jobs).flatMap((job) => job.steps);

describe("the workflows", () => {
  it("pass actionlint", function () {
    const binary = localTool("actionlint");
    if (!binary) return this.skip();
    const files = FILES.map((file) => path.join(DIR, file));
    const { status, stdout, stderr } = spawnSync(binary, ["-no-color", ...files], { cwd: ROOT, encoding: "utf8" });
    assert.equal(status, 0, stdout + stderr);
    const broken = text("check.yml").replace("runs-on", "run-on");
    const refused = spawnSync(binary, ["-no-color", "-"], { cwd: ROOT, encoding: "utf8", input: broken });
    assert.equal(refused.status, 1, "a broken workflow has to be refused, or this test proves nothing");
  });

  for (const file of FILES) {
    describe(file, () => {
      it("pins every action by its full commit and says the version", () => {
        for (const line of text(file)
          .split("\n")
          .filter((each) => /\buses:/.test(each)))
          assert.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      });

      it("gives no permission by default, and to each job its own", () => {
        const { permissions, jobs } = workflow(file);
        assert.deepEqual(permissions, {});
        for (const [name, job] of Object.entries(jobs)) {
          assert.equal(job.permissions?.contents, "read", name);
          assert.ok((job["timeout-minutes"] ?? 360) <= 30, name);
        }
      });

      it("leaves no token in the checkout", () => {
        for (const step of steps(file).filter(({ uses }) => uses?.startsWith("actions/checkout")))
          assert.equal(step.with?.["persist-credentials"], false);
      });

      it("puts nothing that others write into a shell's text", () => {
        for (const { run } of steps(file)) assert.ok(!run?.includes("${{"), run);
      });

      it("runs only scripts and files that are there", () => {
        const scripts = (JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")) as { scripts: object })
          .scripts;
        for (const { run = "" } of steps(file)) {
          for (const [, name = ""] of run.matchAll(/npm run (?:-\S+ )*([\w:]+)/g)) assert.ok(name in scripts, name);
          for (const [, script = ""] of run.matchAll(/\bnode (?:--require \S+ )?(\S+)/g))
            assert.ok(fs.existsSync(path.join(ROOT, script)), script);
        }
      });
    });
  }

  it("nothing that a pull request runs holds a token that can write", () => {
    for (const job of Object.values(workflow("preview.yml").jobs)) {
      if (!Object.entries(job.permissions ?? {}).some(([scope, level]) => level === "write" && scope !== "id-token"))
        continue;
      const runs = job.steps.map(({ run }) => run ?? "").join("\n");
      assert.ok(!/npm|npx|pulumi/.test(runs), runs);
    }
  });

  it("the preview covers every stack", () => {
    const stacks = fs.readdirSync(ROOT).flatMap((file) => /^Pulumi\.(\w+)\.yaml$/.exec(file)?.[1] ?? []);
    const { strategy } = (
      parse(text("preview.yml")) as { jobs: { preview: { strategy: { matrix: { stack: string[] } } } } }
    ).jobs.preview;
    assert.deepEqual([...strategy.matrix.stack].sort(), stacks.sort());
  });
});
