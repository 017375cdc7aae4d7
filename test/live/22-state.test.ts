import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { PROGRAM_ITEMS, toolSession } from "../../commands/session";
import { type SecretsProvider, checkPassphrase, withPassphrase } from "../../commands/passphrase";
import { endProcesses, pulumiProcesses } from "../../sandbox/pulumiProcesses";
import { ensure } from "../../toolchain";
import { freePort } from "../unit/freePort";
import { ROOT, type Result, eventually, get, run } from "./world";

/** A stage that has a secret, and a release that the next stage takes over; it waits while the file of its stack is there. */
const PROGRAM = `
const fs = require("node:fs");
const pulumi = require("@pulumi/pulumi");
const random = require("@pulumi/random");
const stack = pulumi.getStack();
exports.password = new random.RandomPassword("password", { length: 32 }).result;
const before = stack === "qa" ? new pulumi.StackReference("organization/platform/dev") : undefined;
exports.releases = before ? before.getOutput("releases") : { web: { digest: "sha256:of-the-release" } };
if (process.env.ALSO_SECRET) exports.foreign = before.requireOutput("password");
const wait = async () => {
  if (!process.env.WAITS) return;
  fs.writeFileSync(process.env.WAITS, "");
  while (fs.existsSync(process.env.WAITS)) await new Promise((done) => setTimeout(done, 100));
};
exports.waited = pulumi.output(wait().then(() => "yes"));
`;

/** A busy machine starts a program slowly. */
const PATIENCE_MS = 300_000;

describe("state: an object store that all stages share", function () {
  this.timeout(1_200_000);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "platform-state-"));
  const at = (...parts: string[]): string => path.join(dir, ...parts);
  const user = "state";
  const password = randomBytes(12).toString("hex");
  const started: ChildProcess[] = [];
  let env: NodeJS.ProcessEnv = {};

  before(async () => {
    const toolchain = await ensure([...PROGRAM_ITEMS, "minio"]);
    const [port, consolePort] = [await freePort(), await freePort()];
    fs.mkdirSync(at("data", "states"), { recursive: true });
    const address = ["--address", `127.0.0.1:${port}`, "--console-address", `127.0.0.1:${consolePort}`];
    const server = spawn(toolchain.bin("minio"), ["server", ...address, at("data")], {
      env: { ...process.env, MINIO_ROOT_USER: user, MINIO_ROOT_PASSWORD: password },
      stdio: "ignore",
    });
    started.push(server);
    await eventually(async () => {
      assert.equal((await get(`http://127.0.0.1:${port}/minio/health/ready`)).status, 200);
    }, PATIENCE_MS);
    fs.mkdirSync(at("passphrases"));
    for (const stack of ["dev", "qa"])
      fs.writeFileSync(at("passphrases", stack), randomBytes(24).toString("base64url"), { mode: 0o600 });
    fs.mkdirSync(at("program"));
    fs.writeFileSync(
      at("program", "Pulumi.yaml"),
      "name: platform\nruntime: { name: nodejs, options: { typescript: false } }\n",
    );
    fs.writeFileSync(at("program", "package.json"), '{"main": "index.js"}');
    fs.writeFileSync(at("program", "index.js"), PROGRAM);
    fs.symlinkSync(path.join(ROOT, "node_modules"), at("program", "node_modules"));
    env = {
      ...process.env,
      ...toolSession(toolchain),
      AWS_ACCESS_KEY_ID: user,
      AWS_SECRET_ACCESS_KEY: password,
      PULUMI_BACKEND_URL: `s3://states?region=us-east-1&endpoint=127.0.0.1:${port}&disableSSL=true&s3ForcePathStyle=true`,
      PLATFORM_PASSPHRASES: at("passphrases"),
    };
  });

  after(async () => {
    for (const child of started) {
      const ended = child.exitCode ?? child.signalCode ?? new Promise((done) => child.once("close", done));
      child.kill("SIGKILL");
      await ended;
    }
    // A killed run leaves its plugins.
    await endProcesses(() => pulumiProcesses(env.PULUMI_BACKEND_URL ?? ""), console.error);
    fs.rmSync(dir, { recursive: true, force: true });
  });

  /** As our commands run it for a stack, and then without the salt, as they leave the stack's file. */
  const pulumi = async (stack: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Result> => {
    const options = { cwd: at("program"), env: withPassphrase({ ...env, ...more }, stack), timeoutMs: 400_000 };
    const result = await run("pulumi", [...args, "-s", stack, "--non-interactive"], options);
    fs.rmSync(at("program", `Pulumi.${stack}.yaml`), { force: true });
    return result;
  };
  const done = async (stack: string, args: readonly string[]): Promise<string> => {
    const { code, out, all } = await pulumi(stack, args);
    assert.equal(code, 0, all);
    return out;
  };
  const UP = ["up", "--yes", "--skip-preview"];
  const outputs = async (stack: string, ...flags: string[]): Promise<Record<string, unknown>> =>
    JSON.parse(await done(stack, ["stack", "output", "--json", ...flags])) as Record<string, unknown>;

  it("lets the next stage read a release, and not a secret, with a passphrase of its own", async () => {
    for (const stack of ["dev", "qa"]) {
      await run("pulumi", ["stack", "init", stack, "--no-select", "--non-interactive"], {
        cwd: at("program"),
        env: withPassphrase(env, stack),
      });
      await done(stack, UP);
    }
    assert.deepEqual((await outputs("qa")).releases, (await outputs("dev")).releases);
    const { password } = await outputs("dev", "--show-secrets");
    const { code, all } = await pulumi("qa", UP, { ALSO_SECRET: "yes" });
    if (code === 0) assert.notEqual((await outputs("qa", "--show-secrets")).foreign, password);
    else assert.match(all, /passphrase|decrypt/i);
    await done("qa", UP);
  });

  it("opens no state with another's passphrase, which our commands refuse before anything is written", async () => {
    const foreign = { ...env, PULUMI_CONFIG_PASSPHRASE_FILE: at("passphrases", "qa"), PLATFORM_PASSPHRASES: "" };
    const args = ["stack", "output", "--json", "--show-secrets", "-s", "dev", "--non-interactive"];
    const { out } = await run("pulumi", args, { cwd: at("program"), env: foreign });
    assert.equal((JSON.parse(out) as Record<string, unknown>).password, null);
    const { deployment } = JSON.parse(await done("dev", ["stack", "export"])) as {
      deployment: { secrets_providers: SecretsProvider };
    };
    checkPassphrase(deployment.secrets_providers, withPassphrase(env, "dev"), "dev");
    assert.throws(() => checkPassphrase(deployment.secrets_providers, foreign, "dev"), /not that of stack dev/);
  });

  it("holds no secret that can be read", async () => {
    const files = fs.readdirSync(at("data"), { recursive: true, encoding: "utf8" }).map((file) => at("data", file));
    const bytes = Buffer.concat(
      files.filter((file) => fs.statSync(file).isFile()).map((file) => fs.readFileSync(file)),
    );
    // Else the search could not find anything.
    assert.ok(bytes.includes("sha256:of-the-release"));
    for (const stack of ["dev", "qa"]) {
      const secret = String((await outputs(stack, "--show-secrets")).password);
      assert.equal(secret.length, 32);
      assert.ok(!bytes.includes(secret), `the password of ${stack} is in the store`);
      assert.ok(
        !bytes.includes(fs.readFileSync(at("passphrases", stack))),
        `the passphrase of ${stack} is in the store`,
      );
    }
  });

  /** Holds the lock until its file is removed. */
  const busy = async (stack: string): Promise<{ child: ChildProcess; over: Promise<number | null> }> => {
    const file = at("waits");
    const child = spawn("pulumi", [...UP, "-s", stack, "--non-interactive"], {
      cwd: at("program"),
      env: withPassphrase({ ...env, WAITS: file }, stack),
      stdio: "ignore",
    });
    started.push(child);
    const over = new Promise<number | null>((done) => child.once("close", done));
    await eventually(() => fs.promises.access(file), PATIENCE_MS);
    return { child, over };
  };

  it("refuses a second update at once, names who holds the lock, and lets other stacks go on", async () => {
    const { child, over } = await busy("dev");
    const { code, all } = await pulumi("dev", UP);
    assert.notEqual(code, 0);
    assert.match(all, /currently locked by 1 lock/);
    assert.match(all, new RegExp(`created by \\S+@${os.hostname()} \\(pid ${child.pid}\\) at \\d{4}-`));
    await done("qa", UP);
    fs.rmSync(at("waits"));
    assert.equal(await over, 0);
    await done("dev", UP);
  });

  it("keeps the lock of a run that was killed until it is cancelled, and goes on then", async () => {
    const { child, over } = await busy("dev");
    child.kill("SIGKILL");
    await over;
    fs.rmSync(at("waits"));
    const { code, all } = await pulumi("dev", UP);
    assert.notEqual(code, 0);
    assert.match(all, /pulumi cancel/);
    await done("dev", ["cancel", "--yes"]);
    await done("dev", UP);
  });
});
