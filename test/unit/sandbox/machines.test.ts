import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fc from "fast-check";
import { cgroupOf } from "../../../sandbox/cgroups";
import { command, shellQuote } from "../../../sandbox/controlPlane";
import { layoutOf } from "../../../sandbox/layout";
import { machineDir } from "../../../sandbox/machine";
import { MARKER, childrenOf, findByArguments, processesOf, signal, until } from "../../../sandbox/processes";
import { identityOf, isAlive } from "../../../toolchain/processes";

describe("a machine's control group", () => {
  it("lies in the sandbox's own, which its bridge names", () => {
    assert.equal(cgroupOf("pfsb3"), "/platform-pfsb3");
    assert.equal(cgroupOf("pfsb3", "node1"), "/platform-pfsb3/node1");
  });

  it("is never that of another slot, nor above it", () => {
    const groups = Array.from({ length: 16 }, (_, slot) => `${cgroupOf(layoutOf("x", slot, "/x").bridge)}/`);
    for (const group of groups) assert.equal(groups.filter((other) => other.startsWith(group)).length, 1, group);
  });
});

describe("a machine's directory", () => {
  it("lies in the sandbox's", () => {
    assert.equal(machineDir(layoutOf("x", 0, "/cache/x"), "node1"), "/cache/x/machines/node1");
  });
});

describe("a machine's command line", () => {
  it("reads as a person would write it", () => {
    assert.equal(
      command("/bin/etcd", { name: "a", "data-dir": "/var lib" }),
      "/bin/etcd --name=a '--data-dir=/var lib'",
    );
  });

  it("comes out of the shell as it went in", () => {
    const words = fc.array(
      fc.string({ unit: "binary" }).filter((word) => !word.includes("\0")),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(words, (list) => {
        const said = execFileSync("sh", ["-c", `printf '%s\\0' ${list.map(shellQuote).join(" ")}`]);
        assert.deepEqual(said, Buffer.from(list.map((word) => `${word}\0`).join("")));
      }),
      { numRuns: 30 },
    );
  });
});

describe("the processes of a sandbox", function () {
  if (process.platform !== "linux") return;
  const dir = `/cache/sandboxes/test-${process.pid}`;
  let child: ChildProcess;
  before(async () => {
    child = spawn("sh", ["-c", "sleep 60 & wait", "sh", dir], {
      env: { ...process.env, [MARKER]: dir },
      stdio: "ignore",
    });
    await until(() => childrenOf(child.pid ?? 0).length === 1, 5000, 10);
  });
  after(() => {
    for (const each of processesOf(dir)) signal(each, "SIGKILL");
  });

  it("are found by the directory they carry, children too", () => {
    const [sleeper] = childrenOf(child.pid ?? 0);
    assert.deepEqual(
      processesOf(dir)
        .map(({ pid }) => pid)
        .sort((one, other) => one - other),
      [child.pid, sleeper].sort((one, other) => (one ?? 0) - (other ?? 0)),
    );
    assert.deepEqual(processesOf(`${dir}-other`), []);
    assert.deepEqual(processesOf(dir.slice(0, -1)), []);
  });

  it("are found by whole words of their command line", () => {
    assert.equal(findByArguments(["sh", dir])?.pid, child.pid);
    assert.equal(findByArguments(["sh", dir.slice(0, -1)]), undefined);
  });

  it("are told apart from a later one with the same number", () => {
    const found = identityOf(child.pid ?? 0);
    assert.ok(found && isAlive(found));
    const earlier = { ...found, start: String(Number(found.start) - 1) };
    assert.equal(isAlive(earlier), false);
    signal(earlier, "SIGKILL");
    assert.ok(isAlive(found), "a stale record must kill nobody");
  });

  it("are gone once they ended", async () => {
    const found = identityOf(child.pid ?? 0);
    assert.ok(found);
    const ended = once(child, "exit");
    signal(found, "SIGKILL");
    await ended;
    assert.equal(isAlive(found), false);
    assert.equal(identityOf(found.pid), undefined);
  });
});
