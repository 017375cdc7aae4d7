import assert from "node:assert/strict";
import { pathsOf } from "./paths";
import { findingsIn, judge, unusedIn } from "../findings";
import { type Run, Stage, appsOf } from "./stage";

const BARE = { "visit-tracker": appsOf("dev")["visit-tracker"] };
const APPS = { "visit-tracker": { ...BARE["visit-tracker"], postgres: true } };
const WITHOUT = { "platform:postgres": {}, "platform:apps": BARE };
const EXTERNAL = { host: "db.example.com", addresses: ["203.0.113.7/32"] };

describe("the program and its Postgres", function () {
  this.timeout(120_000);
  let stage: Stage;
  let without: Run;
  let single: Run;
  let copied: Run;
  let external: Run;
  before(async () => {
    stage = await Stage.set();
    const run = (postgres: object): Promise<Run> =>
      stage.run("dev", { config: { "platform:postgres": postgres, "platform:apps": APPS } });
    [without, single, copied, external] = await Promise.all([
      stage.run("dev", { config: WITHOUT }),
      run({ mode: "single", memory: "256Mi" }),
      run({ mode: "replicated" }),
      run({ external: EXTERNAL }),
    ]);
  });
  after(() => stage.strike());

  const more = ({ resources }: Run): string[] => {
    const before = pathsOf(without.resources);
    return pathsOf(resources).filter((path) => !before.includes(path));
  };

  it("runs to its end", () => {
    for (const { error } of [without, single, copied, external]) assert.equal(error, undefined);
  });

  it("opens the way from the application and from Prometheus, and no other", () => {
    assert.deepEqual(more(single), [
      "dev-apps/visit-tracker → dev-data/postgres TCP 5432",
      "dev-monitoring/prometheus → dev-data/postgres TCP 9187",
    ]);
  });

  it("opens between servers with copies what they need beside that", () => {
    assert.deepEqual(
      more(copied).filter((path) => !more(single).includes(path)),
      ["dev-data/postgres → dev-data/postgres TCP 5432", "dev-data/postgres → dev-data/postgres TCP 8008"],
    );
  });

  it("[002.22] runs nothing and opens nothing inside for one that is somebody else's", () => {
    assert.deepEqual(more(external), []);
    const added = external.resources.filter(({ urn }) => !without.resources.some((each) => each.urn === urn));
    assert.ok(added.some(({ name }) => name === "visit-tracker-to-postgres"));
    assert.deepEqual(
      added.filter(({ type }) => /:(StatefulSet|Service|PodMonitor|RandomPassword)$/.test(type)),
      [],
    );
  });

  it("breaks no rule of our own", () => {
    const verdicts = [single, copied, external].flatMap(({ resources }) => judge("dev", resources));
    assert.deepEqual([findingsIn(verdicts), unusedIn(verdicts, "postgres")], [[], []]);
  });

  it("keeps its passwords wrapped", () => {
    const opened = JSON.stringify(single.resources.map((each) => each.opened));
    const shown = JSON.stringify([single.resources.map(({ inputs }) => inputs), single.outputs]);
    for (const login of ["admin", "visit_tracker"]) assert.ok(opened.includes(`generated-postgres-${login}-password`));
    assert.ok(!shown.includes("generated-"));
  });

  it("is kept from being taken apart while others need the cluster, like all else", () => {
    const guard = single.resources.find(({ name }) => name === "cluster-guard-mark");
    const server = single.resources.find(({ name }) => name === "postgres-server");
    assert.ok(guard?.dependencies.includes(server?.urn ?? ""), guard?.dependencies.join("\n"));
  });

  it("refuses an application's wish for a database where there is none", async () => {
    const { error } = await stage.run("dev", { config: { ...WITHOUT, "platform:apps": APPS } });
    assert.match(error ?? "", /platform:apps\.visit-tracker\.postgres: found .* as there is no platform:postgres/);
  });
});
