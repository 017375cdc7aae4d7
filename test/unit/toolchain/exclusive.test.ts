import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { exclusively, holderOf } from "../../../toolchain/exclusive";
import { isAlive, thisProcess } from "../../../toolchain/processes";
import { Scratch } from "./scratch";

describe("exclusive work", () => {
  let scratch: Scratch;
  let lock: string;

  beforeEach(() => {
    scratch = new Scratch();
    lock = path.join(scratch.root, "locks", "work");
  });

  afterEach(() => scratch.remove());

  const leaveLock = (holder: object): void => {
    fs.mkdirSync(path.dirname(lock), { recursive: true });
    fs.writeFileSync(lock, JSON.stringify(holder));
  };

  it("is never done by two at once", async () => {
    let inside = 0;
    const work = (): Promise<void> =>
      exclusively(lock, async () => {
        assert.equal(++inside, 1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inside--;
      });
    await Promise.all(Array.from({ length: 4 }, work));
    assert.equal(fs.existsSync(lock), false);
  });

  it("releases the lock when the work fails", async () => {
    await assert.rejects(
      exclusively(lock, () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.equal(fs.existsSync(lock), false);
  });

  it("takes over from a dead process", async () => {
    const dead = spawnSync("true").pid;
    leaveLock({ ...thisProcess(), pid: dead });
    assert.equal(await exclusively(lock, () => Promise.resolve(holderOf(lock)?.pid)), process.pid);
  });

  it("takes over from a process whose number now belongs to another", async () => {
    leaveLock({ ...thisProcess(), start: "1" });
    await exclusively(lock, () => Promise.resolve());
  });

  it("takes over a lock file that holds nonsense only once it has been silent for long", async () => {
    leaveLock({});
    fs.writeFileSync(lock, "{");
    const old = new Date(Date.now() - 3600_000);
    fs.utimesSync(lock, old, old);
    await exclusively(lock, () => Promise.resolve());
  });

  it("cannot judge a process of another host or container", () => {
    assert.equal(isAlive({ ...thisProcess(), space: "elsewhere" }), undefined);
    assert.equal(isAlive(thisProcess()), true);
  });
});
