import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { LIMITS, RESOURCE_BYTES, STATE, over } from "../costs/limits";
import type { Fields } from "../unit/components/recorder";
import { type Run, STACKS, Stage } from "./stage";

const ROOT = join(__dirname, "../..");
const COSTS = join(__dirname, "../costs");
const COUNT = 3;

/** Pulumi waits ten seconds for the endpoints of each Service, and for a volume that waits for its first pod. */
const BLIND = /^kubernetes:(core\/v1:(Service|PersistentVolumeClaim)|networking\.k8s\.io\/v1:Ingress)$/;
const isSkipped = ({ metadata }: Fields): boolean =>
  (metadata as { annotations?: Fields }).annotations?.["pulumi.com/skipAwait"] === "true";

const json = (args: readonly string[], cwd = ROOT, env: NodeJS.ProcessEnv = {}): Promise<unknown> =>
  new Promise((done, fail) =>
    execFile(process.execPath, args, { cwd, env: { ...process.env, ...env } }, (error, out, err) =>
      error ? fail(new Error(err || error.message)) : done(JSON.parse(out)),
    ),
  );
/** The files of packages that are loaded with the program, as Pulumi.yaml starts it. */
const ofProgram = (env: NodeJS.ProcessEnv = {}): Promise<string[]> =>
  json(["--require", "./start/program.js", join(COSTS, "modules.js"), "index.ts"], ROOT, env) as Promise<string[]>;

describe("what a run costs, in counts", function () {
  this.timeout(120_000);

  describe("its start", () => {
    it("loads no more files of packages than it may", async () => {
      const files = await ofProgram();
      assert.deepEqual(over({ programModules: files.length }, LIMITS), []);
      assert.deepEqual(
        files.filter((file) => /^(typescript|@npmcli|@pulumi\/pulumi\/automation)\//.test(file)),
        [],
      );
    });

    it("is seen to grow where the SDK is loaded as it comes", async () => {
      const files = await ofProgram({ PLATFORM_PLAIN_START: "1" });
      assert.ok(files.some((file) => file.startsWith("typescript/")));
      assert.match(over({ programModules: files.length }, LIMITS).join(), /^programModules: \d+, allowed are \d+$/);
    });

    it("writes no paths of this machine into the state", async () => {
      const trace = "process.stdout.write(JSON.stringify(require('@pulumi/pulumi').Resource.stackTrace(0).length))";
      assert.equal(await json(["--require", "./start/program.js", "-e", trace]), 0);
      assert.ok(((await json(["-e", trace])) as number) > 0);
    });

    it("brings what was left out as soon as somebody uses it", async () => {
      const use = [
        'const { automation, runtime } = require("@pulumi/pulumi");',
        'const { helm } = require("@pulumi/kubernetes");',
        "const text = (await runtime.serializeFunction(() => 1)).text;",
        "process.stdout.write(JSON.stringify([typeof automation.LocalWorkspace.create, typeof helm.v3.Release, typeof text]));",
      ];
      const script = `(async () => { ${use.join("\n")} })()`;
      assert.deepEqual(await json(["--require", "./start/program.js", "-e", script]), [
        "function",
        "function",
        "string",
      ]);
    });

    it("loads no more for the pack than it may", async () => {
      const files = (await json([join(COSTS, "modules.js"), "start.js"], join(ROOT, "policy"))) as string[];
      assert.deepEqual(over({ packModules: files.length }, LIMITS), []);
      assert.ok(files.length > 50);
    });
  });

  it("unpacks each object no more often in the pack than it may", async () => {
    const { object, stack } = (await json([join(COSTS, "pack.js"), String(COUNT)])) as Record<
      "object" | "stack",
      { decodes: number; one?: number; found?: number }
    >;
    assert.ok((object.one ?? 0) > 0 && (stack.found ?? 0) >= COUNT, "the pack judged nothing");
    assert.deepEqual(over({ decodesPerResource: object.decodes + stack.decodes / COUNT }, LIMITS), []);
  });

  describe("its resources", () => {
    let stage: Stage;
    let runs: Run[];
    before(async () => {
      stage = await Stage.set();
      runs = await Promise.all(STACKS.map((each) => stage.run(each)));
    });
    after(() => stage.strike());

    for (const [index, stack] of STACKS.entries()) {
      it(`waits in ${stack} for no kind that Pulumi cannot see get ready`, () => {
        const blind = (runs[index]?.resources ?? []).filter(({ type, read }) => !read && BLIND.test(type));
        assert.ok(blind.length > 10);
        assert.deepEqual(
          blind.filter(({ inputs }) => !isSkipped(inputs)).map(({ name }) => name),
          [],
        );
      });

      it(`are no larger for ${stack} than they may be, together and each`, () => {
        const sizes = (runs[index]?.resources ?? []).map(({ inputs, name, type }): [string, number] => [
          `${type} ${name}`,
          Buffer.byteLength(JSON.stringify(inputs)),
        ]);
        assert.ok(sizes.length > 100);
        const total = sizes.reduce((sum, [, size]) => sum + size, 0);
        assert.deepEqual(over({ [stack]: total }, STATE), []);
        assert.deepEqual(
          sizes.filter(([, size]) => size > RESOURCE_BYTES),
          [],
        );
      });
    }
  });
});
