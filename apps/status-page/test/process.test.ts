import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Scene, closedPort, eventually } from "./scene";

describe("the process", () => {
  const scene = new Scene();
  const running: ChildProcess[] = [];
  after(() => {
    for (const child of running) child.kill("SIGKILL");
    scene.strike();
  });

  function run(environment: Record<string, string>): { child: ChildProcess; output: () => string } {
    const child = spawn(process.execPath, ["--import", "tsx", "src/main.ts"], {
      cwd: join(__dirname, ".."),
      env: { PATH: process.env.PATH, HOST: "127.0.0.1", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
    running.push(child);
    return { child, output: () => output };
  }

  it("ends at once where its settings are wrong, and says all that is", async () => {
    const { child, output } = run({ PORT: "none" });
    assert.deepEqual(await once(child, "close"), [1, null]);
    const { level, message } = JSON.parse(output()) as { level: string; message: string };
    assert.equal(level, "error");
    assert.match(message, /^cannot start: PORT is "none".*STATUS_ENDPOINTS/);
  });

  it("keeps what it saw when it is told to stop, and ends at once where its port is taken", async () => {
    const file = join(scene.dir, "history.json");
    const port = String(await closedPort());
    const web = { environment: "dev", name: "web", url: `http://127.0.0.1:${port}/healthz` };
    const own = { PORT: port, STATUS_ENDPOINTS: JSON.stringify([web]), STATUS_FILE: file };
    const { child, output } = run(own);
    await eventually("it is ready", async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200);
    const second = run({ ...own, STATUS_FILE: "" });
    assert.deepEqual(await once(second.child, "close"), [1, null]);
    assert.match(second.output(), /cannot start: listen EADDRINUSE/);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "close"), [0, null]);
    assert.match(output(), /"dev\/web is up".*"stopped"/s);
    assert.ok(existsSync(file));
  });
});
