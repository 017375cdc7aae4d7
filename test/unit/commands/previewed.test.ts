import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { contentOf, notePreview, wasPreviewed } from "../../../commands/previewed";

const HOUR = 3_600_000;
const STATES = ["state of dev", "state of qa"];

describe("what was previewed", () => {
  let dir: string;
  const put = (name: string, text: string): void => {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  };
  const session = (): Record<string, string> => ({
    PLATFORM_TARGET: join(dir, "cluster", "target.json"),
    PULUMI_BACKEND_URL: "file:///state",
  });
  const content = (states = STATES, more = {}): string =>
    contentOf(join(dir, "project"), { ...session(), ...more }, states);
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "previewed-"));
    put("project/index.ts", "program");
    put("project/apps/page/index.html", "page");
    put("cluster/target.json", "{}");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const known = (stack: string, now: number, of: Record<string, string> = session()): Promise<boolean> =>
    wasPreviewed(of, stack, () => Promise.resolve(content()), now);

  it("is known within the hour, and once", async () => {
    notePreview(session(), "qa", content(), 0);
    assert.equal(await known("qa", HOUR - 1), true);
    assert.equal(await known("qa", HOUR - 1), false);
  });

  it("is forgotten after an hour, and by a clock that was set back", async () => {
    for (const now of [HOUR, -1]) {
      notePreview(session(), "qa", content(), 0);
      assert.equal(await known("qa", now), false);
    }
  });

  it("is of one stack, whose content is not looked at for another", async () => {
    notePreview(session(), "qa", content(), 0);
    const never = (): Promise<string> => Promise.reject(new Error("looked"));
    assert.equal(await wasPreviewed(session(), "dev", never, 1), false);
    assert.equal(await wasPreviewed(session(), "qa", () => Promise.resolve("another"), 1), false);
  });

  it("is another with any file, target, state or place that changed", () => {
    const before = content();
    for (const [name, text] of [
      ["project/index.ts", "another program"],
      ["project/apps/page/index.html", "another page"],
      ["project/policy/new.ts", "a rule"],
      ["cluster/target.json", '{"clusterUid":"another"}'],
    ] as const) {
      const now = content();
      put(name, text);
      assert.notEqual(content(), now, name);
    }
    assert.notEqual(content(), before);
    for (const states of [["state of dev"], ["another state of dev", "state of qa"]])
      assert.notEqual(content(states), content());
    for (const more of [{ PLATFORM_CONTEXT: "other" }, { PULUMI_BACKEND_URL: "file:///other" }])
      assert.notEqual(content(STATES, more), content());
  });

  it("is the same with what a run does not read", () => {
    const before = content();
    put("project/node_modules/x/index.js", "x");
    put("project/docs/operations.md", "x");
    assert.equal(content(), before);
  });

  it("is not noted where nothing says which cluster it is of", async () => {
    notePreview({}, "qa", content());
    assert.equal(await known("qa", 1, {}), false);
  });
});
