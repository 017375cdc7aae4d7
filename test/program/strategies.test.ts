import assert from "node:assert/strict";
import { findingsIn, judge } from "../findings";
import { type Golden, differences, goldenOf, readGolden, writeGolden } from "./golden";
import { pathsOf } from "./paths";
import { type Run, Stage, appsOf } from "./stage";

const APP = "visit-tracker";
const HINT = "If that is what you meant: UPDATE_GOLDEN=1 npx mocha 'test/program/*.test.ts', and commit the files.";

/** What an application takes of a stack, without the scripts, which are files of their own. */
function partOf(run: Run): Golden {
  const own = run.resources.filter(({ name }) => name.startsWith(`${APP}-`));
  const { resources } = goldenOf({ ...run, resources: own, outputs: {} });
  const entries = Object.entries(resources).map(([key, entry]) => {
    const { data, ...inputs } = (entry.inputs ?? {}) as { data?: Record<string, string> };
    if (!data || !key.endsWith("-switch-files")) return [key, entry] as const;
    const settings: unknown = JSON.parse(data["settings.json"] ?? "");
    return [key, { ...entry, inputs: { ...inputs, data: { "settings.json": settings } } }] as const;
  });
  return { resources: Object.fromEntries(entries), outputs: {} };
}

/** Both versions are one application to whoever may reach it. */
const pathsIn = (run: Run): string[] => [
  ...new Set(pathsOf(run.resources).map((path) => path.replace(/-(?:blue|green) /g, " "))),
];

describe("the program and strategies", function () {
  this.timeout(300_000);
  let stage: Stage;
  let rolling: Run;
  const runs: Record<string, Run> = {};
  before(async () => {
    stage = await Stage.set();
    const app = appsOf("dev")[APP];
    const run = (strategy: unknown, more: object = {}): Promise<Run> =>
      stage.run("dev", { config: { "platform:apps": { [APP]: { ...app, strategy } }, ...more } });
    rolling = await run("rolling");
    runs["blue-green"] = await run("blue-green");
    runs.canary = await run({ type: "canary", steps: [5, 50], smoke: ["/", "/api/visits"] });
  });
  after(() => stage.strike());

  for (const strategy of ["blue-green", "canary"]) {
    const run = (): Run => runs[strategy] as Run;

    it(`${strategy}: asks for what the committed file says, and breaks no rule of our own`, () => {
      assert.equal(run().error, undefined);
      const found = partOf(run());
      if (process.env.UPDATE_GOLDEN) writeGolden(`strategy-${strategy}`, found);
      const committed = readGolden(`strategy-${strategy}`);
      assert.ok(committed, HINT);
      assert.deepEqual(differences(committed, found), [], HINT);
      assert.deepEqual(findingsIn(judge("dev", run().resources)), []);
    });

    it(`${strategy}: opens the switch's ways, and Prometheus' to the edge that counts for it, and no other`, () => {
      const before = pathsIn(rolling);
      assert.deepEqual(
        pathsIn(run()).filter((path) => !before.includes(path)),
        [
          `dev-apps/${APP}-switch → dev-apps/${APP} TCP 3000`,
          `dev-apps/${APP}-switch → dev-monitoring/prometheus TCP 9090`,
          "dev-monitoring/prometheus → dev-edge/edge TCP 9100",
        ],
      );
    });
  }

  it("counts nothing for who has none", () => {
    const edge = rolling.resources.find(({ name, type }) => name === "edge-server" && type.endsWith(":Deployment"));
    assert.ok(edge && !JSON.stringify(edge.inputs).includes("--metrics.prometheus"));
  });
});
