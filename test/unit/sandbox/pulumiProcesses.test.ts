import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import {
  RUN_MARKER,
  backendOf,
  endProcesses,
  leftovers,
  partOfPulumi,
  pulumiProcesses,
} from "../../../sandbox/pulumiProcesses";
import { carrying, childrenOf, signal, until } from "../../../sandbox/processes";
import { identityOf } from "../../../toolchain/processes";

describe("a command line of Pulumi", () => {
  it("is known by the program, or by the script behind its interpreter", () => {
    assert.equal(partOfPulumi(["pulumi", "up"]), "pulumi");
    assert.equal(
      partOfPulumi(["/home/plugins/pulumi-resource-kubernetes", "127.0.0.1:1"]),
      "pulumi-resource-kubernetes",
    );
    assert.equal(partOfPulumi(["/bin/pulumi-language-nodejs", "-root=/x"]), "pulumi-language-nodejs");
    assert.equal(partOfPulumi(["/bin/sh", "/bin/pulumi-analyzer-policy", "127.0.0.1:1"]), "pulumi-analyzer-policy");
    assert.equal(partOfPulumi(["/usr/bin/node", "/x/@pulumi/pulumi/cmd/run-policy-pack", "a"]), "run-policy-pack");
    assert.equal(partOfPulumi(["node", "--require", "tsx/cjs", "/x/@pulumi/pulumi/cmd/run", "a"]), "run");
  });

  it("is no shell, no editor that has such a file open, and no program with a similar name", () => {
    for (const words of [
      [],
      ["-bash"],
      ["/bin/bash", "-c", "pulumi up"],
      ["vim", "pulumi-resource-kubernetes"],
      ["less", "/x/@pulumi/pulumi/cmd/run/index.js"],
      ["pulumi-language-server"],
      ["pulumi-lsp"],
      ["node", "/x/commands/up.ts"],
    ])
      assert.equal(partOfPulumi(words), undefined, words.join(" "));
  });
});

describe("the processes of Pulumi", function () {
  if (process.platform !== "linux") return;
  let dir: string;
  let backend: string;
  /** On everything that a test starts, so that nothing of it is left. */
  const TEST = "PULUMI_PROCESSES_TEST";
  const environment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ PATH: process.env.PATH, [TEST]: dir, ...env });

  /** A real process: a script of this name, as Pulumi's own shims are. */
  const script = (name: string, body: string): string => {
    const file = path.join(dir, name);
    fs.writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    return file;
  };
  const start = async (file: string, env: NodeJS.ProcessEnv): Promise<number> => {
    const { pid } = spawn(file, [], { env: environment(env), stdio: "ignore" });
    assert.ok(pid);
    assert.ok(await until(() => childrenOf(pid).length === 1, 5000, 10), `${file} did not start`);
    return pid;
  };
  /** As the kill of a pulumi leaves a plugin: its parent is gone. */
  const orphan = (file: string, env: NodeJS.ProcessEnv): number => {
    const shell = ["-c", `"${file}" >/dev/null 2>&1 & echo $!`];
    return Number(spawnSync("sh", shell, { env: environment(env), encoding: "utf8" }).stdout);
  };
  const isAlive = (pid: number): boolean => identityOf(pid) !== undefined;
  const end = (find: () => ReturnType<typeof leftovers>): Promise<void> => endProcesses(find, () => undefined);
  const WAITS = "while :; do sleep 1; done";

  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(tmpdir(), "pulumi-processes-"));
    backend = backendOf(dir);
  });
  afterEach(() => {
    for (const each of carrying([`${TEST}=${dir}`])) signal(each, "SIGKILL");
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it("that were typed by hand are ended when their pulumi is gone, by the backend they worked on", async () => {
    const left = orphan(script("pulumi-resource-fake", WAITS), { PULUMI_BACKEND_URL: backend });
    assert.ok(await until(() => leftovers(backend).length === 1, 5000, 10));
    assert.deepEqual(
      leftovers(backend).map(({ pid, name }) => [pid, name]),
      [[left, "pulumi-resource-fake"]],
    );
    await end(() => leftovers(backend));
    assert.ok(!isAlive(left));
  });

  it("that a command of ours started are ended whatever their name", async () => {
    const left = orphan(script("login-helper", WAITS), { [RUN_MARKER]: backend });
    assert.ok(await until(() => childrenOf(left).length === 1, 5000, 10));
    await end(() => leftovers(backend));
    assert.ok(!isAlive(left));
    assert.deepEqual(pulumiProcesses(backend), []);
  });

  it("stay while a pulumi stands above them, at any height", async () => {
    script("pulumi-resource-fake", WAITS);
    script("shim", `"${dir}/pulumi-resource-fake" & wait`);
    const env = { PULUMI_BACKEND_URL: backend, [RUN_MARKER]: backend };
    const pulumi = await start(script("pulumi", `"${dir}/shim" & wait`), env);
    assert.ok(
      await until(() => pulumiProcesses(backend).some(({ name }) => name === "pulumi-resource-fake"), 5000, 10),
    );
    assert.deepEqual(leftovers(backend), []);
    await end(() => leftovers(backend));
    assert.ok(isAlive(pulumi));
    const all = pulumiProcesses(backend).map(({ pid }) => pid);
    assert.ok(all.includes(pulumi), "a cluster that goes away takes its pulumi along");
    await end(() => pulumiProcesses(backend));
    assert.deepEqual(all.filter(isAlive), []);
  });

  it("leave alone what else runs in the shell of npm run env, and the shell", async () => {
    const env = { PULUMI_BACKEND_URL: backend };
    const bystanders = [await start(script("pulumi-lsp", WAITS), env), await start(script("editor", WAITS), env)];
    const elsewhere = await start(script("pulumi-resource-fake", WAITS), { PULUMI_BACKEND_URL: `${backend}-other` });
    assert.deepEqual(pulumiProcesses(backend), []);
    await end(() => pulumiProcesses(backend));
    assert.deepEqual([...bystanders, elsewhere].map(isAlive), [true, true, true]);
  });

  it("never end whoever asks, nor what that was started from", () => {
    const body = `
      const { endProcesses, pulumiProcesses } = require(${JSON.stringify(require.resolve("../../../sandbox/pulumiProcesses"))});
      endProcesses(() => pulumiProcesses(process.argv[1]), () => undefined).then(() => console.log("ended in order"));`;
    const ask = `"${process.execPath}" --require "${require.resolve("tsx/cjs")}" -e '${body}' "${backend}"`;
    // The whole chain carries the marker: a shell, a "pulumi" in it, and the process that ends the others.
    const env = environment({ [RUN_MARKER]: backend, PULUMI_BACKEND_URL: backend });
    const chain = `"${script("pulumi", `${ask}\necho and its pulumi`)}"; echo and its shell`;
    const { stdout, stderr } = spawnSync("sh", ["-c", chain], { env, encoding: "utf8" });
    assert.equal(stdout, "ended in order\nand its pulumi\nand its shell\n", stderr);
  });
});
