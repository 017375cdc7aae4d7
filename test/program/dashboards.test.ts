import assert from "node:assert/strict";
import type { Registered } from "../unit/components/recorder";
import { type Golden, readGolden } from "./golden";
import { findingsIn, judge } from "../findings";
import { pathsOf } from "./paths";
import { type Run, Stage } from "./stage";

/** As without dashboards: the committed files are of a target that has no image for them. */
const committed = (stack: string): Registered[] =>
  Object.entries((readGolden(stack) as Golden).resources).map(
    ([key, { inputs = {} }]) => ({ type: key.split(" ")[0], inputs }) as Registered,
  );

describe("the program and its dashboards", function () {
  this.timeout(60_000);
  let stage: Stage;
  before(async () => (stage = await Stage.set()));
  after(() => stage.strike());

  for (const stack of ["dev", "prod"]) {
    describe(`for ${stack}, where their image can be had`, () => {
      let run: Run;
      before(async () => (run = await stage.run(stack, { published: ["grafana"] })));

      it("opens three paths more", () => {
        assert.equal(run.error, undefined);
        const before = pathsOf(committed(stack));
        assert.ok(before.length > 10);
        assert.deepEqual(
          pathsOf(run.resources).filter((path) => !before.includes(path)),
          [
            `${stack}-dashboards/grafana → ${stack}-monitoring/prometheus TCP 9090`,
            `${stack}-edge/edge → ${stack}-dashboards/grafana TCP 3000`,
            `${stack}-monitoring/prometheus → ${stack}-edge/edge TCP 9100`,
          ],
        );
      });

      it("says where they are and how to get in, with no secret in the open", () => {
        const { access, namespaces } = run.outputs as Record<string, Record<string, string>>;
        assert.match(access?.dashboards ?? "", new RegExp(`https://grafana\\.${stack}\\.platform\\.test$`));
        assert.equal(namespaces?.dashboards, `${stack}-dashboards`);
        const shown = JSON.stringify([run.resources.map(({ inputs }) => inputs), run.outputs]);
        const opened = JSON.stringify(run.resources.map((each) => each.opened));
        assert.ok(opened.includes("generated-grafana-password") && !shown.includes("generated-"));
      });

      it("breaks no rule", () => {
        assert.ok(run.resources.some(({ name }) => name === "grafana-server"));
        assert.deepEqual(findingsIn(judge(stack, run.resources)), []);
      });
    });
  }

  it("asks for nothing at all where they are insisted on and their image cannot be had", async () => {
    const { error, resources } = await stage.run("qa", { config: { "platform:monitoring": { grafana: true } } });
    assert.match(error ?? "", /^platform:monitoring\.grafana is true, but the cluster of the tests has no image/);
    assert.deepEqual(
      resources.map(({ type }) => type),
      ["pulumi:pulumi:Stack"],
    );
  });
});
