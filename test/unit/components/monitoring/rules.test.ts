import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { objectStoreWatched } from "../../../../components/monitoring/subjects/objectStore";
import { postgresWatched } from "../../../../components/monitoring/subjects/postgres";
import { redisWatched } from "../../../../components/monitoring/subjects/redis";
import { vaultWatched } from "../../../../components/monitoring/subjects/vault";
import { localTool } from "../../localTool";
import { record } from "../recorder";
import { Scene, field, kindOf } from "../scene";
import { CASES, ruleTests } from "./ruleCases";

const RUNBOOKS = path.join(__dirname, "../../../../docs/runbooks");

interface Group {
  readonly name: string;
  readonly rules: readonly {
    readonly alert: string;
    readonly expr: string;
    readonly labels: { readonly severity: string };
    readonly annotations: { readonly summary: string; readonly runbook_url: string };
  }[];
}

/** All that the platform raises alerts for. */
async function ruleGroups(): Promise<Group[]> {
  const { resources } = await record(() => {
    const monitoring = new Scene().monitoring("monitoring", { runbooks: "https://git.example/docs/runbooks/" });
    const vault = { name: "vault", namespace: "dev-secrets", selector: { app: "vault" } };
    monitoring.watch("vault", vaultWatched(vault, pulumi.output("dev-secrets"), "PEM"));
    const redis = { name: "redis", namespace: "dev-data", selector: { app: "redis" } };
    monitoring.watch("redis", redisWatched({ peer: redis, port: 9121 }));
    const postgres = { name: "postgres", namespace: "dev-data", selector: { app: "postgres" } };
    monitoring.watch("postgres", postgresWatched({ peer: postgres, port: 9187, replicas: 2 }));
    const store = { name: "object-store", namespace: "dev-data", selector: { app: "object-store" } };
    monitoring.watch("object-store", objectStoreWatched({ peer: store, port: 9002, servers: 4 }));
  });
  return resources
    .filter((each) => kindOf(each) === "PrometheusRule")
    .flatMap((each) => field(each, "spec.groups") as Group[]);
}

describe("alerts", () => {
  let groups: Group[];
  let alerts: string[];
  before(async () => {
    groups = await ruleGroups();
    alerts = [...new Set(groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)))].sort();
  });

  it("each have a runbook, and each runbook its alert", () => {
    const runbooks = fs.readdirSync(RUNBOOKS).filter((file) => file !== "README.md");
    assert.deepEqual(
      runbooks.sort(),
      alerts.map((alert) => `${alert}.md`),
    );
  });

  it("link to it, and say in one line what is wrong", () => {
    for (const { alert, annotations, labels } of groups.flatMap(({ rules }) => rules)) {
      assert.equal(annotations.runbook_url, `https://git.example/docs/runbooks/${alert}.md`);
      assert.match(annotations.summary, /^\S[^\n]{9,}$/, alert);
      assert.match(labels.severity, /^(critical|warning|none)$/, alert);
    }
  });

  it("are each tested, firing and, but for the one that always fires, quiet", () => {
    for (const alert of alerts) {
      const firing = CASES.filter((each) => each.alert === alert).map((each) => each.firing > 0);
      assert.ok(firing.includes(true), `${alert} is seen firing in no case`);
      if (alert !== "Watchdog") assert.ok(firing.includes(false), `${alert} is seen quiet in no case`);
    }
  });

  describe("under samples", () => {
    let dir: string;
    let binary: string | undefined;
    before(function () {
      binary = localTool("promtool");
      if (!binary) this.skip();
      dir = fs.mkdtempSync(path.join(os.tmpdir(), "rules-"));
      fs.writeFileSync(path.join(dir, "rules.json"), JSON.stringify({ groups }));
    });
    after(() => dir && fs.rmSync(dir, { recursive: true }));

    const promtool = (kind: string[], tests: string): string => {
      const file = path.join(dir, "tests.json");
      fs.writeFileSync(file, tests);
      const { stdout, stderr, status } = spawnSync(binary ?? "", [...kind, file], { encoding: "utf8" });
      return status === 0 ? "" : stdout + stderr;
    };

    it("fire when they should, and only then", () => {
      assert.equal(promtool(["test", "rules"], ruleTests([path.join(dir, "rules.json")])), "");
    });

    it("would not pass with other rules", () => {
      fs.writeFileSync(path.join(dir, "none.json"), JSON.stringify({ groups: [] }));
      assert.match(promtool(["test", "rules"], ruleTests([path.join(dir, "none.json")])), /FAILED/);
    });
  });
});
