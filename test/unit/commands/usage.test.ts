import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const COMMANDS = join(__dirname, "../../../commands");

/** Each call is one that must end before it touches anything. */
const calls: [string, string[], { code: number; says: RegExp }][] = [
  ["up", ["--help"], { code: 0, says: /^npm run up / }],
  [
    "up",
    ["--stack", "nowhere"],
    { code: 2, says: /^error: "nowhere" is no environment: take --stack dev, qa or prod/ },
  ],
  ["up", ["--stak", "dev"], { code: 2, says: /^error: Unknown option '--stak'/ }],
  [
    "down",
    ["--name", "Not A Name"],
    { code: 1, says: /^error: sandbox name "Not A Name" is not usable: take 1 to 20/ },
  ],
  ["down", [], { code: 0, says: /^nothing to remove: local cluster "platform" is not there/ }],
  ["env", [], { code: 2, says: /^error: local cluster "platform" is not there yet: npm run up makes it/ }],
  [
    "env",
    ["--stack", "nowhere"],
    { code: 2, says: /^error: "nowhere" is no environment: take --stack dev, qa or prod/ },
  ],
  ["verify", ["--help"], { code: 0, says: /^npm run verify / }],
  [
    "verify",
    [],
    { code: 2, says: /^error: local cluster "platform" is not there: npm run up -- --stack dev brings it up/ },
  ],
  ["verify", ["--stack", "nowhere"], { code: 2, says: /^error: "nowhere" is no environment/ }],
  ["drift", ["--help"], { code: 0, says: /^npm run drift / }],
  ["drift", [], { code: 2, says: /^error: "" is no environment: take --stack dev, qa or prod/ }],
  [
    "drift",
    ["--stack", "dev"],
    { code: 2, says: /^error: local cluster "platform" is not there: npm run up makes it/ },
  ],
  ["handover", [], { code: 2, says: /^error: "" is no environment: take --to dev, qa or prod/ }],
  ["handover", ["--to", "qa"], { code: 2, says: /^error: local cluster "platform" does not run: npm run up/ }],
  ["sandbox", ["explode"], { code: 2, says: /^error: .*explode/ }],
];

describe("a command", () => {
  let cache: string;
  before(() => (cache = mkdtempSync(join(tmpdir(), "usage-"))));
  after(() => rmSync(cache, { recursive: true, force: true }));

  const call = (name: string, args: readonly string[]): Promise<{ code: number | null; said: string }> =>
    new Promise((done, fail) => {
      const argv = ["--require", require.resolve("tsx/cjs"), join(COMMANDS, `${name}.ts`), ...args];
      const child = spawn(process.execPath, argv, { env: { ...process.env, PLATFORM_CACHE: join(cache, "none") } });
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (said += data.toString()));
      child.on("error", fail);
      child.on("close", (code) => done({ code, said }));
    });

  for (const [name, args, { code, says }] of calls) {
    it(`${[name, ...args].join(" ")}: says what it means and ends with ${code}, with nothing made`, async () => {
      const found = await call(name, args);
      assert.match(found.said, says);
      assert.equal(found.code, code);
      assert.equal(existsSync(join(cache, "none")), false);
    });
  }
});
