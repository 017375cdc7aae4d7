import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensure } from "../../../toolchain";
import type { LockItem } from "../../../toolchain/lock";
import { prune } from "../../../toolchain/prune";
import { settingsFrom } from "../../../toolchain/settings";
import { thisProcess } from "../../../toolchain/processes";
import { Scratch, goItem } from "./scratch";

describe("the store", () => {
  let scratch: Scratch;

  beforeEach(() => {
    scratch = new Scratch();
    scratch.fakeGo();
    scratch.recipe("tool", "one");
    scratch.recipe("other", "two");
  });

  afterEach(() => scratch.remove());

  const items = (more: Partial<LockItem> = {}): Record<string, LockItem> => ({
    tool: goItem("tool", more),
    other: goItem("other"),
  });
  const get = (more: Partial<LockItem> = {}): ReturnType<typeof ensure> =>
    ensure(["tool"], scratch.options(items(more)));
  const builds = (): number => scratch.goCalls().filter((call) => call.startsWith("build")).length;
  const pruneAll = (all = true): ReturnType<typeof prune> => prune(settingsFrom(scratch.options(items())), { all });

  it("builds again when a file of the recipe changes, and only then", async () => {
    const first = (await get()).dir("tool");
    fs.utimesSync(path.join(scratch.recipes, "tool/main.txt"), new Date(), new Date());
    assert.equal((await get()).dir("tool"), first);
    assert.equal(builds(), 1);
    scratch.recipe("tool", "changed");
    const second = (await get()).dir("tool");
    assert.notEqual(second, first);
    assert.equal(fs.readFileSync(path.join(second, "share/text"), "utf8"), "changed");
    scratch.recipe("tool", "one");
    assert.equal((await get()).dir("tool"), first, "the old content is still there");
    assert.equal(builds(), 2);
  });

  it("builds again when the lock's entry changes, not when another item's does", async () => {
    const first = (await get()).dir("tool");
    scratch.recipe("other", "changed");
    assert.equal((await get()).dir("tool"), first);
    assert.notEqual((await get({ version: "1.0.1" })).dir("tool"), first);
  });

  it("builds only the outputs an item asks of a shared recipe", async () => {
    const source = { kind: "go", recipes: [{ name: "tool", outputs: ["nothing"] }], diskGB: 0 } as const;
    await assert.rejects(get({ source }), /no executable tool in bin/);
    assert.equal(builds(), 0);
  });

  it("is shared: a second clone with the same lock builds nothing", async () => {
    await get();
    const clone = path.join(scratch.root, "clone");
    fs.cpSync(scratch.recipes, clone, { recursive: true });
    await ensure(["tool"], scratch.options(items(), { recipes: clone }));
    assert.equal(builds(), 1);
  });

  it("keeps no build cache after a run, unless the user shares one", async () => {
    await get();
    assert.equal(fs.existsSync(path.join(scratch.cache, "build/go")), false);
    const shared = path.join(scratch.root, "shared");
    await ensure(["other"], scratch.options(items(), { env: { ...scratch.env(), PLATFORM_GO_CACHE: shared } }));
    assert.equal(fs.existsSync(path.join(shared, "build/object")), true);
  });

  it("is quick when warm", async () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`tool-${index}`, goItem("tool")]));
    const options = scratch.options(many);
    await ensure(Object.keys(many), options);
    const begun = performance.now();
    await ensure(Object.keys(many), options);
    assert.ok(performance.now() - begun < 300, `took ${performance.now() - begun} ms`);
  });

  describe("pruned", () => {
    it("keeps what the lock names and removes what it names no more", async () => {
      const old = (await get()).dir("tool");
      scratch.recipe("tool", "changed");
      const toolchain = await get();
      const { removed } = pruneAll();
      assert.ok(removed.some(({ path: gone, bytes }) => gone === old && bytes > 0));
      assert.equal(fs.existsSync(old), false);
      assert.equal(fs.existsSync(toolchain.bin("tool")), true);
      assert.equal(fs.existsSync(toolchain.path), true);
      assert.equal(fs.readdirSync(path.join(scratch.cache, "homes")).length, 1, "homes that lead nowhere go too");
    });

    it("leaves what another clone may use, for a week", async () => {
      const old = (await get()).dir("tool");
      scratch.recipe("tool", "changed");
      assert.ok(pruneAll(false).kept.some((reason) => reason.includes(old)));
      const longAgo = new Date(Date.now() - 8 * 24 * 3600_000);
      fs.utimesSync(path.join(old, "item.json"), longAgo, longAgo);
      pruneAll(false);
      assert.equal(fs.existsSync(old), false);
    });

    it("leaves a run in progress alone", async () => {
      await get();
      const stage = path.join(scratch.cache, "build/stage");
      fs.writeFileSync(path.join(scratch.cache, "locks/tool"), JSON.stringify(thisProcess()));
      assert.match(pruneAll().kept.join(), new RegExp(`process ${process.pid} is working`));
      assert.equal(fs.existsSync(stage), true);
      fs.rmSync(path.join(scratch.cache, "locks/tool"));
      pruneAll();
      assert.equal(fs.existsSync(stage), false);
    });
  });
});
