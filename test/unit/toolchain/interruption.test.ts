import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensure } from "../../../toolchain";
import type { LockItem } from "../../../toolchain/lock";
import { Scratch, goItem } from "./scratch";

const RUN = path.join(__dirname, "ensureProcess.ts");

describe("runs that meet or are killed", () => {
  let scratch: Scratch;
  const started: ChildProcess[] = [];

  beforeEach(() => {
    scratch = new Scratch();
    scratch.fakeGo();
    scratch.recipe("tool", "built");
    scratch.recipe("other", "built");
  });

  afterEach(() => {
    for (const child of started.splice(0)) child.kill("SIGKILL");
    scratch.remove();
  });

  const holdFile = (): string => path.join(scratch.go, "hold");

  /** Starts a run in its own process; resolves to its exit code and what it printed. */
  function start(item: LockItem = goItem("tool")): {
    child: ChildProcess;
    output: () => string;
    ended: Promise<number | null>;
  } {
    const options = JSON.stringify({ ...scratch.options({ tool: item }), progress: undefined });
    const child = spawn(process.execPath, ["--require", "tsx/cjs", RUN, options, "tool"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    started.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += String(chunk)));
    const ended = once(child, "exit").then(([code]) => code as number | null);
    return { child, output: () => output, ended };
  }

  async function until(what: string, condition: () => boolean): Promise<void> {
    for (let tries = 0; tries < 400; tries++) {
      if (condition()) return;
      await sleep(20);
    }
    assert.fail(`${what} did not happen`);
  }

  const builds = (): number => scratch.goCalls().filter((call) => call.startsWith("build")).length;
  const goIsRunning = (): boolean => fs.existsSync(path.join(scratch.go, "pid"));

  it("two at once build an item once, and the second says for whom it waits", async () => {
    fs.writeFileSync(holdFile(), "");
    const first = start();
    await until("the first build", goIsRunning);
    const second = start();
    await until("the second run's waiting", () => second.output().includes("waiting for process"));
    assert.ok(second.output().includes(`waiting for process ${first.child.pid}`));
    fs.rmSync(holdFile());
    assert.deepEqual(await Promise.all([first.ended, second.ended]), [0, 0]);
    assert.equal(builds(), 1);
  });

  it("after kill -9 in the middle of a build the next run ends the compiler and builds anew", async () => {
    fs.writeFileSync(path.join(scratch.go, "stuck"), "");
    const killed = start();
    await until("the build", goIsRunning);
    killed.child.kill("SIGKILL");
    await killed.ended;
    const compiler = Number(fs.readFileSync(path.join(scratch.go, "pid"), "utf8"));
    assert.ok(isRunning(compiler), "the compiler should have survived its parent");
    assert.deepEqual(scratch.stored(), []);
    fs.rmSync(path.join(scratch.go, "stuck"));
    const toolchain = await ensure(["tool"], scratch.options({ tool: goItem("tool") }));
    assert.equal(execFileSync(toolchain.bin("tool"), { encoding: "utf8" }), "built\n");
    await until("the old compiler's end", () => !isRunning(compiler));
    assert.deepEqual(fs.readdirSync(path.join(scratch.cache, "locks")), []);
    assert.deepEqual(fs.readdirSync(path.join(scratch.cache, "build/stage")), []);
  });

  it("an interrupt ends the compiler with the run", async () => {
    fs.writeFileSync(holdFile(), "");
    const run = start();
    await until("the build", goIsRunning);
    const compiler = Number(fs.readFileSync(path.join(scratch.go, "pid"), "utf8"));
    run.child.kill("SIGINT");
    await run.ended;
    await until("the compiler's end", () => !isRunning(compiler));
  });

  it("a run that is only refused leaves nothing behind", async () => {
    const code = await start(goItem("tool", { source: undefined, noSource: "closed" })).ended;
    assert.equal(code, 1);
    assert.equal(fs.existsSync(scratch.cache), false);
  });
});

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
