import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";

const ROOT = path.resolve(__dirname, "..", "..", "..");

interface Job {
  readonly environment?: string;
  readonly needs?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress"?: boolean };
  readonly steps: readonly {
    readonly uses?: string;
    readonly run?: string;
    readonly with?: Readonly<Record<string, unknown>>;
  }[];
}

interface Workflow {
  readonly on: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const text = (name: string): string => fs.readFileSync(path.join(ROOT, ".github", "workflows", `${name}.yml`), "utf8");
const workflow = (name: string): Workflow => parse(text(name)) as Workflow;
const runs = (job: Job): string[] => job.steps.flatMap(({ run }) => run ?? []);
const STAGES = { deploy: "dev", promote: "qa", release: "prod" } as const;

/** What a job may run beside our own scripts. */
const PLAIN = [/^npm (run|ci)\b/, /^node \.github\/scripts\//, /^git merge-base /];

describe("the workflows of the delivery", () => {
  for (const [name, stack] of Object.entries(STAGES)) {
    const [job] = Object.values(workflow(name).jobs);
    assert.ok(job);

    it(`${name} brings ${stack} up, after it was checked, in its environment and never beside another`, () => {
      assert.equal(job.environment, stack);
      assert.deepEqual(job.concurrency, { group: `stack-${stack}`, "cancel-in-progress": false });
      const ups = runs(job).filter((run) => run.startsWith("npm run up"));
      const up = `npm run up -- --context "$CONTEXT" --stack ${stack}`;
      assert.deepEqual(ups, [`${up} --check`, up]);
    });

    it(`${name} runs only what also runs by hand`, () => {
      for (const run of runs(job)) assert.ok(PLAIN.some((each) => each.test(run)) && !run.includes("\n"), run);
    });

    it(`${name} logs in by GitHub's identity, and stores no credential but the key of the state`, () => {
      assert.deepEqual(job.permissions, { contents: "read", "id-token": "write" });
      const secrets = [...text(name).matchAll(/secrets\.(\w+)/g)].map(([, secret]) => secret);
      assert.deepEqual([...new Set(secrets)], ["PULUMI_CONFIG_PASSPHRASE"]);
    });
  }

  it("[001.7] [001.8] [001.9] start by a merge, by hand, and by a tag vX.Y.Z on main", () => {
    assert.deepEqual(workflow("deploy").on, { push: { branches: ["main"] } });
    assert.equal(workflow("promote").on, "workflow_dispatch");
    assert.deepEqual(workflow("release").on, { push: { tags: ["v[0-9]+.[0-9]+.[0-9]+"] } });
    const [job] = Object.values(workflow("release").jobs);
    assert.ok(job && runs(job)[0] === "git merge-base --is-ancestor HEAD origin/main");
    assert.equal(job.steps[0]?.with?.["fetch-depth"], 0);
  });

  it("[001.6] the platform can be updated without its applications, behind the same approval and lock", () => {
    const [job] = Object.values(workflow("infra").jobs);
    assert.equal(job?.environment, "${{ inputs.stack }}");
    assert.equal(job?.concurrency?.group, "stack-${{ inputs.stack }}");
    assert.ok(job && runs(job).includes('npm run up -- --context "$CONTEXT" --stack "$STACK" --infra'));
  });

  it("[000.4] drift is looked for every night in each stack, and only what sees no cluster may write an issue of it", () => {
    assert.deepEqual(Object.keys(workflow("drift").on as object), ["schedule", "workflow_dispatch"]);
    const { drift, issue } = workflow("drift").jobs;
    assert.ok(drift && issue);
    const compares = 'npm run -s drift -- --context "$CONTEXT" --stack "$STACK" --json >drift.json || [ $? -eq 1 ]';
    assert.ok(runs(drift).includes(compares), runs(drift).join("\n"));
    assert.deepEqual(drift.permissions, { contents: "read", "id-token": "write" });
    assert.equal(issue.needs, "drift");
    assert.deepEqual(issue.permissions, { contents: "read", issues: "write" });
    assert.equal(issue.environment, undefined);
    assert.deepEqual(runs(issue), ["node .github/scripts/issue.mjs drift/*/drift.json"]);
  });

  it("[003.4] images are scanned, and not seen is not passed", () => {
    const all = Object.values(workflow("check").jobs).flatMap(runs);
    assert.ok(all.includes("npm run scan -- --require"), all.join("\n"));
  });
});
