import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { boundGoCaches, goCaches, treeSize } from "../../../toolchain/goCaches";
import { settingsFrom } from "../../../toolchain/settings";
import { Scratch } from "./scratch";

const BOUND = 1_000_000;

describe("the Go caches between two builds", () => {
  let scratch: Scratch;
  beforeEach(() => (scratch = new Scratch()));
  afterEach(() => scratch.remove());

  /** Fills both caches and bounds them; says which are left. */
  function bound(compiled: number, modules: number, env: NodeJS.ProcessEnv = {}): { build: boolean; modules: boolean } {
    const settings = settingsFrom(scratch.options({}, { env: { ...scratch.env(), ...env } }));
    const caches = goCaches(settings);
    for (const [directory, bytes] of [
      [caches.build, compiled],
      [caches.modules, modules],
    ] as const) {
      fs.mkdirSync(path.join(directory, "deep"), { recursive: true });
      fs.writeFileSync(path.join(directory, "deep/file"), Buffer.alloc(bytes, 1));
    }
    boundGoCaches(settings, BOUND);
    return { build: fs.existsSync(caches.build), modules: fs.existsSync(caches.modules) };
  }

  it("are kept while they are small", () => assert.deepEqual(bound(400_000, 400_000), { build: true, modules: true }));

  it("lose the modules first: those are quicker to get again", () =>
    assert.deepEqual(bound(600_000, 600_000), { build: true, modules: false }));

  it("lose both when what was compiled is most of it", () =>
    assert.deepEqual(bound(900_000, 300_000), { build: false, modules: false }));

  it("are left alone when the user shares them", () =>
    assert.deepEqual(bound(900_000, 900_000, { PLATFORM_GO_CACHE: path.join(scratch.root, "shared") }), {
      build: true,
      modules: true,
    }));

  it("are measured by the space they take", () => {
    fs.writeFileSync(path.join(scratch.root, "file"), Buffer.alloc(100_000, 1));
    assert.ok(treeSize(scratch.root) >= 100_000);
    assert.equal(treeSize(path.join(scratch.root, "nothing")), 0);
  });
});
