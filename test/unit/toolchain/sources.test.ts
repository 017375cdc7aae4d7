import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensure } from "../../../toolchain";
import type { LockItem } from "../../../toolchain/lock";
import { platformKey, thisPlatform } from "../../../toolchain/platform";
import { FakeOrigin, sha256 } from "./fakeOrigin";
import { Scratch, goItem } from "./scratch";

const PRESENT = { command: ["tool", "--version"], match: "tool (\\d+\\.\\d+)", range: ">=1.2 <2" };

describe("where an item comes from", () => {
  let scratch: Scratch;

  beforeEach(() => {
    scratch = new Scratch();
    scratch.fakeGo();
    scratch.recipe("tool", "built");
  });

  afterEach(() => scratch.remove());

  const get = (item: LockItem, more = {}): ReturnType<typeof ensure> =>
    ensure(["tool"], scratch.options({ tool: item }, more));

  it("a fitting tool of the machine is used as it is", async () => {
    const file = scratch.tool("tool", "echo tool 1.4");
    const toolchain = await get(goItem("tool", { present: PRESENT }));
    assert.equal(toolchain.bin("tool"), file);
    assert.deepEqual(scratch.goCalls(), []);
    assert.throws(() => toolchain.dir("tool"), /the machine's own/);
  });

  it("its answer is remembered until the file changes", async () => {
    scratch.tool("tool", `echo asked >> ${scratch.root}/asked; echo tool 1.4`);
    const item = goItem("tool", { present: PRESENT });
    await get(item);
    await get(item);
    assert.equal(fs.readFileSync(path.join(scratch.root, "asked"), "utf8"), "asked\n");
    scratch.tool("tool", "echo tool 3.0");
    assert.match((await get(item)).bin("tool"), /store\/tool-1\.0\.0-/);
  });

  it("under another name that it is known by, where its own is not there", async () => {
    const item = goItem("tool", { present: { ...PRESENT, names: { tool: ["tool-stable", "othertool"] } } });
    const other = scratch.tool("othertool", "echo tool 1.4");
    assert.equal((await get(item)).bin("tool"), other);
    const own = scratch.tool("tool", "echo tool 1.4");
    assert.equal((await get(item)).bin("tool"), own);
  });

  const unfit: [string, () => void][] = [
    ["of another version", () => void scratch.tool("tool", "echo tool 2.0")],
    ["that does not tell its version", () => void scratch.tool("tool", "echo hello")],
    ["that cannot be executed", () => void scratch.tool("tool", "echo tool 1.4", 0o644)],
    ["that fails when run", () => void scratch.tool("tool", "echo tool 1.4; exit 1")],
  ];
  for (const [what, make] of unfit)
    it(`a tool ${what} is passed over`, async () => {
      make();
      assert.match((await get(goItem("tool", { present: PRESENT }))).bin("tool"), /store\/tool-1\.0\.0-/);
    });

  it("a tool whose companions are missing or lie elsewhere is passed over", async () => {
    scratch.tool("tool", "echo tool 1.4");
    const item = goItem("tool", { present: PRESENT, provides: ["tool", "ls"] });
    await assert.rejects(get(item), /no executable ls/);
    assert.ok(scratch.goCalls().some((call) => call.startsWith("build")));
  });

  it("what lies in our own cache does not count as the machine's", async () => {
    const first = await get(goItem("tool"));
    const env = { ...scratch.env(), PATH: `${first.path}:${scratch.env()["PATH"]}` };
    scratch.recipe("tool", "tool 1.4");
    const second = await get(goItem("tool", { present: PRESENT }), { env });
    assert.notEqual(second.bin("tool"), first.bin("tool"));
  });

  it("a plugin in the user's PULUMI_HOME is linked, one of another version is not", async () => {
    const install = (version: string): string => {
      const file = path.join(scratch.home, ".pulumi/plugins", `resource-tool-v${version}`, "pulumi-resource-tool");
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, "#!/bin/sh\n", { mode: 0o755 });
      return file;
    };
    const plugin = (version: string): LockItem => goItem("pulumi-resource-tool", { version, plugin: "tool" });
    scratch.recipe("pulumi-resource-tool", "built");
    const file = install("1.0.0");
    const own = await get(plugin("1.0.0"));
    assert.equal(fs.realpathSync(path.join(own.pulumiHome, "plugins/resource-tool-v1.0.0/pulumi-resource-tool")), file);
    const built = await get(plugin("1.0.1"));
    const link = path.join(built.pulumiHome, "plugins/resource-tool-v1.0.1/pulumi-resource-tool");
    assert.equal(execFileSync(link, { encoding: "utf8" }), "built\n");
  });

  it("with no download the recipe is built, files and all", async () => {
    const toolchain = await get(goItem("tool"));
    assert.equal(execFileSync(toolchain.bin("tool"), { encoding: "utf8" }), "built\n");
    assert.equal(fs.readFileSync(path.join(toolchain.dir("tool"), "share/text"), "utf8"), "built");
    assert.match(scratch.lines[0] ?? "", /^\[1\/1\] tool: building 1\.0\.0 from source \(log .*tool\.log\)/);
    assert.match(scratch.lines.at(-1) ?? "", /^\[1\/1\] tool: ready in \d+ s/);
  });

  it("a failed build names the item, its last lines and the way to retry it", async () => {
    fs.writeFileSync(path.join(scratch.go, "broken"), "");
    await assert.rejects(get(goItem("tool")), (error: Error) => {
      assert.match(error.message, /^toolchain item tool: go build .*exit code 1/);
      assert.match(error.message, /undefined: Something/);
      assert.match(error.message, /npm run toolchain -- build tool$/);
      return true;
    });
    assert.deepEqual(scratch.stored(), []);
  });

  it("without Go the refusal comes first and says where to get it", async () => {
    fs.rmSync(path.join(scratch.bin, "go"));
    await assert.rejects(
      get(goItem("tool"), { env: { ...scratch.env(), PATH: scratch.bin } }),
      /Go 1\.20 or later and this machine has none: install it/,
    );
    assert.deepEqual(scratch.lines, []);
  });

  it("a Go too old for a recipe is refused before the build", async () => {
    fs.writeFileSync(path.join(scratch.recipes, "tool/go.mod"), "module tool\n\ngo 99.1\n");
    await assert.rejects(get(goItem("tool")), /built with Go 99\.1 or later and .* is 99\.0/);
  });

  it("too little disk is refused before the start", async () => {
    const item = goItem("tool", { source: { kind: "debian", packages: ["tool"], diskGB: 1e9 } });
    await assert.rejects(get(item), /not enough disk: .* GB.*PLATFORM_CACHE/);
  });

  it("an unknown item is named together with the known ones", async () => {
    await assert.rejects(
      ensure(["tol"], scratch.options({ tool: goItem("tool") })),
      /unknown toolchain item "tol"; known: tool/,
    );
  });

  describe("with a publisher that answers", () => {
    const body = Buffer.from("#!/bin/sh\necho downloaded\n");
    const item = goItem("tool", {
      noDownload: undefined,
      download: {
        diskMB: 1,
        files: [
          {
            url: "https://files.example.org/tool",
            sha256: { [platformKey(thisPlatform())]: sha256(body) },
            install: [{ to: "bin/tool" }],
          },
        ],
      },
    });
    let origin: FakeOrigin;

    beforeEach(async () => {
      origin = new FakeOrigin();
      origin.files.set("/files.example.org/tool", { body });
      scratch.origin = await origin.start();
    });

    afterEach(() => origin.stop());

    const output = async (more = {}): Promise<string> =>
      execFileSync((await get(item, more)).bin("tool"), { encoding: "utf8" });

    it("is downloaded", async () => assert.equal(await output(), "downloaded\n"));

    it("is built where the user asks for that, beside the download", async () => {
      await output();
      assert.equal(await output({ source: "build" }), "built\n");
      assert.equal(await output({ source: "download" }), "downloaded\n");
      assert.equal(scratch.stored().length, 2);
    });

    it("is built where the publisher does not answer", async () => {
      await origin.stop();
      assert.equal(await output(), "built\n");
    });

    it("is built where no checksum is known for this platform", async () => {
      const unknown = {
        ...item,
        download: { diskMB: 1, files: [{ url: "https://files.example.org/tool", install: [{ to: "bin/tool" }] }] },
      };
      assert.equal(execFileSync((await get(unknown)).bin("tool"), { encoding: "utf8" }), "built\n");
    });

    it("what is here already asks nobody", async () => {
      await output();
      const before = origin.asked.length;
      await origin.stop();
      assert.equal(await output(), "downloaded\n");
      assert.equal(origin.asked.length, before);
    });
  });
});
