import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensure } from "../../../toolchain";
import { TOOLCHAIN_DIRECTORY } from "../../../toolchain/lock";
import type { Trim } from "../../../toolchain/goTrims";
import { Scratch, goItem } from "./scratch";

describe("a module trimmed for a recipe", () => {
  let scratch: Scratch;

  beforeEach(() => {
    scratch = new Scratch();
    scratch.fakeGo();
    scratch.recipe("tool", "built");
    write(path.join(scratch.go, "module"), {
      "go.mod": "module example.org/big\n",
      "all/one.go": "upstream",
      "all/two.go": "upstream",
      "all/data.txt": "upstream",
      "all/below/kept.go": "upstream",
      "other/kept.go": "upstream",
    });
    fs.writeFileSync(path.join(scratch.go, "sum"), "h1:right");
    recipe("h1:right");
    write(path.join(scratch.recipes, "tool/overlay"), { "all/one.go": "ours" });
  });

  afterEach(() => scratch.remove());

  const write = (root: string, files: Record<string, string>): void => {
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      fs.writeFileSync(path.join(root, name), text);
    }
  };

  const recipe = (sum: string): void => {
    const trim = { module: "example.org/big", version: "v1.0.0", sum, over: "overlay", to: "upstream/big" };
    const list = "cd upstream/big && grep -r . --include=* . | LC_ALL=C sort | tr '\\n' ' ' > ../../main.txt";
    write(path.join(scratch.recipes, "tool"), {
      "recipe.json": JSON.stringify({ trims: [trim], generate: [list], builds: [{ package: ".", output: "tool" }] }),
    });
  };

  it("has our packages in place of upstream's, whole, and the rest as it was", async () => {
    const toolchain = await ensure(["tool"], scratch.options({ tool: goItem("tool") }));
    const laid = execFileSync(toolchain.bin("tool"), { encoding: "utf8" }).trim().split(" ./");
    assert.deepEqual(laid, [
      "./all/below/kept.go:upstream",
      "all/data.txt:upstream",
      "all/one.go:ours",
      "go.mod:module example.org/big",
      "other/kept.go:upstream",
    ]);
    assert.match(scratch.goCalls().join(), /mod download -json example\.org\/big@v1\.0\.0/);
  });

  it("is refused with another sum than the recipe's", async () => {
    recipe("h1:wrong");
    await assert.rejects(
      ensure(["tool"], scratch.options({ tool: goItem("tool") })),
      /example\.org\/big@v1\.0\.0 has the sum h1:right, its recipe says h1:wrong/,
    );
  });

  it("is refused where upstream has no such package any more", async () => {
    fs.rmSync(path.join(scratch.go, "module/all"), { recursive: true });
    await assert.rejects(
      ensure(["tool"], scratch.options({ tool: goItem("tool") })),
      /overlay replaces all, which upstream does not have/,
    );
  });
});

describe("the recipes' trims", () => {
  const recipes = path.join(TOOLCHAIN_DIRECTORY, "go");

  it("have the version that go.mod requires, and lie where it looks", () => {
    for (const name of fs.readdirSync(recipes)) {
      const text = (file: string): string => fs.readFileSync(path.join(recipes, name, file), "utf8");
      const { trims = [] } = JSON.parse(text("recipe.json")) as { trims?: Trim[] };
      for (const { module, version, over, to } of trims) {
        const lines = text("go.mod").split("\n");
        assert.ok(
          lines.some((line) => line.trim().startsWith(`${module} ${version}`)),
          `${name}/go.mod requires no ${module} ${version}`,
        );
        assert.ok(
          lines.some((line) => line.trim() === `${module} => ./${to}`),
          `${name}/go.mod replaces no ${module} by ./${to}`,
        );
        assert.ok(fs.existsSync(path.join(recipes, name, over)), `${name} has no ${over}`);
      }
    }
  });
});
