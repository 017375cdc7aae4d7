import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { OBJECT_RULES, SET_RULES } from "../../policy/rules/index";
import { policySettings, readSection } from "../../policy/settings";

describe("policy settings", () => {
  for (const environment of ["dev", "qa", "prod"]) {
    it(`of ${environment} give every rule a level, and know no other`, () => {
      const { objects, stack } = policySettings(environment);
      const ids = (rules: readonly { id: string }[]): string[] => rules.map(({ id }) => id).sort();
      assert.deepEqual(Object.keys(objects.levels).sort(), ids(OBJECT_RULES));
      assert.deepEqual(Object.keys(stack.levels).sort(), ids(SET_RULES));
      const unknowns = environment === "prod" ? "fail" : "report";
      assert.deepEqual([objects.unknowns, stack.unknowns], [unknowns, unknowns]);
    });
  }

  it("hold in prod what they hold in qa, and in qa what they hold in dev", () => {
    const held = (environment: string): string[] => {
      const { objects, stack } = policySettings(environment);
      return Object.entries({ ...objects.levels, ...stack.levels }).flatMap(([id, level]) =>
        level === "mandatory" ? [id] : [],
      );
    };
    const [dev, qa, prod] = ["dev", "qa", "prod"].map(held);
    assert.deepEqual(
      dev?.filter((id) => !qa?.includes(id)),
      [],
    );
    assert.deepEqual(
      qa?.filter((id) => !prod?.includes(id)),
      [],
    );
  });

  it("of an environment that has none name those that have", () => {
    assert.throws(() => policySettings("test"), /policy\/config\/test\.json cannot be read: .*dev, prod, qa/s);
  });

  it("are refused with every fault", () => {
    const faulty = { levels: { "non-root": "on", limit: "mandatory" }, unknowns: "ignore", extra: 1 };
    assert.throws(
      () => readSection("objects", faulty, "x.json", "pack"),
      /key: found "extra".*levels\.non-root: found "on".*levels: found "limit".*unknowns: found "ignore"/s,
    );
    assert.throws(
      () => readSection("stack", "advisory", "x.json", "pack"),
      /stack: found "advisory", allowed is an object/,
    );
  });
});

describe("the pack's start", () => {
  it("needs nothing installed beside the project's own packages, and answers with its port", async () => {
    const runner = require.resolve("@pulumi/pulumi/cmd/run-policy-pack");
    const pack = spawn(process.execPath, [runner, "127.0.0.1:1", "."], { cwd: join(__dirname, "../../policy") });
    try {
      const first = await new Promise<string>((resolve, reject) => {
        let said = "";
        pack.stderr.on("data", (chunk) => (said += String(chunk)));
        pack.stdout.once("data", (chunk) => resolve(String(chunk)));
        pack.once("exit", (code) => reject(new Error(`the pack ended with ${code}: ${said}`)));
      });
      assert.match(first, /^\d+\n$/);
    } finally {
      pack.kill("SIGKILL");
    }
  });
});
