import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readStackFiles } from "../../../components/lib/stackFiles";
import { statusPlan } from "../../../components/lib/statusPlan";

const status = (...environments: string[]) => ({ environments, seconds: 15 });
const own = { edge: { domain: "dev.example", replicas: 1 }, apps: { web: { host: "web" }, worker: {} } };
const FILES = {
  // What the stack's own file says may be behind its configuration.
  dev: { edge: { domain: "old.example" }, apps: { old: { host: "old" } } },
  qa: { edge: { domain: "qa.example" }, apps: { web: { host: "shop" }, worker: { port: 1 } } },
  prod: { edge: { domain: "prod.example" }, apps: { web: { host: "web" } }, status: { environments: ["prod", "dev"] } },
};

describe("the plan of who watches whom", () => {
  it("has every application with a host, of each environment that is named, below that one's domain", () => {
    const { endpoints } = statusPlan("dev", { ...own, status: status("qa", "dev") }, FILES);
    assert.deepEqual(endpoints, [
      { environment: "qa", name: "web", hostname: "shop.qa.example" },
      { environment: "dev", name: "web", hostname: "web.dev.example" },
    ]);
  });

  it("asks an application that has a path of a host below that path", () => {
    const apps = { page: { host: "app" }, api: { host: "app", path: "/api" } };
    const { endpoints } = statusPlan("dev", { ...own, apps, status: status("dev") }, FILES);
    assert.deepEqual(endpoints, [
      { environment: "dev", name: "page", hostname: "app.dev.example" },
      { environment: "dev", name: "api", hostname: "app.dev.example", path: "/api" },
    ]);
  });

  it("knows whose pages ask this stack, its own among them, and nobody where no file says so", () => {
    assert.deepEqual(statusPlan("dev", own, FILES).watchers, ["prod"]);
    assert.deepEqual(statusPlan("dev", { ...own, status: status("dev") }, FILES).watchers, ["dev", "prod"]);
    assert.deepEqual(statusPlan("qa", own, FILES).watchers, []);
  });

  it("asks nobody without a page", () => assert.deepEqual(statusPlan("dev", own, FILES).endpoints, []));

  it("does not mind what else is in the files of others", () => {
    const files = { ...FILES, prod: { edge: { domain: "prod.example" }, apps: [1], status: { environments: "dev" } } };
    const plan = statusPlan("dev", { ...own, status: status("prod") }, files);
    assert.deepEqual(plan, { endpoints: [], watchers: [] });
  });

  it("refuses more than the page takes", () => {
    const hosts = (count: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, { host: `a${index}` }]));
    const plan = (count: number) =>
      statusPlan(
        "dev",
        { ...own, status: status("qa") },
        { qa: { edge: { domain: "qa.example" }, apps: hosts(count) } },
      );
    assert.equal(plan(200).endpoints.length, 200);
    assert.throws(
      () => plan(201),
      /found \["qa"\], allowed is stacks with up to 200 applications that have a host, not 201/,
    );
  });

  it("refuses environments without a file or a domain, all at once", () => {
    const files = { ...FILES, qa: { edge: {} } };
    assert.throws(
      () => statusPlan("dev", { ...own, status: status("stage", "qa", "prod") }, files),
      (error: Error) => {
        const [first, ...lines] = error.message.split("\n");
        assert.match(first ?? "", /^the status page of stack "dev" does not know whom to watch, and nothing was done/);
        assert.deepEqual(lines, [
          '  - platform:status.environments: found "stage", allowed is one of the stacks with a file: dev, prod, qa',
          '  - platform:status.environments: found "qa", allowed is a stack whose file says the domain of its platform:edge',
          "Mend platform:status in Pulumi.dev.yaml, or the file that it leads to.",
        ]);
        return true;
      },
    );
  });
});

describe("the files of all stacks", () => {
  let dir = "";
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "stacks-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("are read by stack and key, values as Pulumi would hand them over, and other files left alone", () => {
    writeFileSync(join(dir, "Pulumi.yaml"), "name: platform");
    writeFileSync(join(dir, "Pulumi.qa.yaml.bak"), "{");
    writeFileSync(join(dir, "Pulumi.empty.yaml"), "");
    const lines = ["encryptionsalt: v1", "config:", '  platform:edge: \'{"domain":"qa.example"}\'', "  aws:region: x"];
    writeFileSync(join(dir, "Pulumi.qa.yaml"), [...lines, "  platform:build: true"].join("\n"));
    assert.deepEqual(readStackFiles(dir), { empty: {}, qa: { edge: { domain: "qa.example" }, build: true } });
  });

  it("are named when they cannot be read", () => {
    writeFileSync(join(dir, "Pulumi.qa.yaml"), "config: [");
    assert.throws(() => readStackFiles(dir), /^Error: Pulumi\.qa\.yaml cannot be read: /);
  });
});
