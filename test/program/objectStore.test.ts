import assert from "node:assert/strict";
import { findingsIn, judge } from "../findings";
import { pathsOf } from "./paths";
import { type Run, Stage, appsOf } from "./stage";

const BUCKET = { access: "read", load: ["node", "dist/load.js"] };
const APPS = { "visit-tracker": { ...appsOf("dev")["visit-tracker"], bucket: BUCKET, metrics: true } };

describe("the program and its object store", function () {
  this.timeout(120_000);
  let stage: Stage;
  let without: Run;
  let single: Run;
  let parts: Run;
  before(async () => {
    stage = await Stage.set();
    const run = (objectStore: object): Promise<Run> =>
      stage.run("dev", { config: { "platform:objectStore": objectStore, "platform:apps": APPS } });
    [without, single, parts] = await Promise.all([
      stage.run("dev"),
      run({ mode: "standalone" }),
      run({ mode: "distributed", servers: 3 }),
    ]);
  });
  after(() => stage.strike());

  const more = ({ resources }: Run): string[] => {
    const before = pathsOf(without.resources);
    return pathsOf(resources).filter((path) => !before.includes(path));
  };

  it("runs to its end", () => {
    for (const { error } of [without, single, parts]) assert.equal(error, undefined);
  });

  it("[004.15] opens the ways to the store and to metrics, and no others", () => {
    assert.deepEqual(more(single), [
      "dev-apps/visit-tracker → dev-data/object-store TCP 9000",
      "dev-apps/visit-tracker-loader → dev-data/object-store TCP 9000",
      "dev-data/object-store-keeper → dev-data/object-store TCP 9000",
      "dev-monitoring/prometheus → dev-apps/visit-tracker TCP 3000",
      "dev-monitoring/prometheus → dev-data/object-store TCP 9002",
    ]);
  });

  it("opens between servers of one store what they need beside that", () => {
    assert.deepEqual(
      more(parts).filter((path) => !more(single).includes(path)),
      ["dev-data/object-store → dev-data/object-store TCP 9001"],
    );
  });

  it("breaks no rule of our own", () => {
    for (const { resources } of [single, parts]) assert.deepEqual(findingsIn(judge("dev", resources)), []);
  });

  it("keeps its passwords wrapped", () => {
    const opened = JSON.stringify(single.resources.map((each) => each.opened));
    const shown = JSON.stringify([single.resources.map(({ inputs }) => inputs), single.outputs]);
    for (const user of ["administrator", "app-visit-tracker", "load-visit-tracker"])
      assert.ok(opened.includes(`generated-object-store-${user}-password`), user);
    assert.ok(!shown.includes("generated-"));
  });

  it("is kept from being taken apart while others need the cluster, like all else", () => {
    const guard = single.resources.find(({ name }) => name === "cluster-guard-mark");
    const server = single.resources.find(({ name }) => name === "object-store-server");
    assert.ok(guard?.dependencies.includes(server?.urn ?? ""), guard?.dependencies.join("\n"));
  });

  it("refuses an application's wish for a bucket where there is no store", async () => {
    const { error } = await stage.run("dev", { config: { "platform:apps": APPS } });
    assert.match(error ?? "", /platform:apps\.visit-tracker\.bucket: found .* as there is no platform:objectStore/);
  });
});
