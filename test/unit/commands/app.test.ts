import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { createApp } from "../../../commands/app";
import { withApp } from "../../../commands/appEntry";
import { UsageError } from "../../../commands/errors";
import { STACKS } from "../../../commands/stacks";
import { decoded, parseConfig } from "../../../components/lib/config";

const ROOT = path.join(__dirname, "../../..");
const HELLO = { name: "hello", port: 3100, host: "hello" };

describe("a new application", function () {
  this.timeout(60_000);
  let dir: string;
  const fileOf = (stack: string): string => path.join(dir, `Pulumi.${stack}.yaml`);
  const read = (stack: string): string => fs.readFileSync(fileOf(stack), "utf8");

  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "new-app-"));
    for (const stack of STACKS) fs.copyFileSync(path.join(ROOT, `Pulumi.${stack}.yaml`), fileOf(stack));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  it("has entries that the program takes: built in the first stage, taken from the stage before in the others", () => {
    createApp(dir, HELLO);
    const entries = STACKS.map((stack) => {
      const { config } = parse(read(stack)) as { config: Record<string, unknown> };
      // As Pulumi gives them: a text as it is, all else as JSON.
      const raw = (value: unknown): string | undefined => (typeof value === "string" ? value : JSON.stringify(value));
      const parsed = parseConfig(stack, (key) => decoded(raw(config[`platform:${key}`]))).apps.hello;
      return [parsed?.source, parsed?.from, parsed?.port, parsed?.host];
    });
    assert.deepEqual(entries, [
      ["apps/hello", undefined, 3100, "hello"],
      [undefined, "dev", 3100, "hello"],
      [undefined, "qa", 3100, "hello"],
    ]);
  });

  it("leaves every other line of the stack files as it was", () => {
    const before = STACKS.map(read);
    createApp(dir, HELLO);
    STACKS.forEach((stack, index) => {
      const added = /^ {4}hello:\n(?: {6}.*\n)+/m.exec(read(stack))?.[0] ?? "";
      assert.equal(read(stack).replace(added, ""), before[index]);
    });
  });

  it("passes its own tests, and has nothing of the template's left to fill in", () => {
    const files = createApp(dir, HELLO);
    for (const file of files) assert.doesNotMatch(fs.readFileSync(path.join(dir, file), "utf8"), /__/, file);
    const { status, stdout } = spawnSync("npm", ["test", "--silent"], {
      cwd: path.join(dir, "apps/hello"),
      encoding: "utf8",
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^ℹ pass 3$/m);
  });

  it("is refused with every reason at once, and nothing is written", () => {
    const before = STACKS.map(read);
    fs.mkdirSync(path.join(dir, "apps/taken"), { recursive: true });
    const refusal = (wanted: Partial<typeof HELLO>): string => {
      try {
        createApp(dir, { ...HELLO, ...wanted });
      } catch (error) {
        assert.ok(error instanceof UsageError);
        return error.message;
      }
      assert.fail("it was not refused");
    };
    assert.match(refusal({ name: "Hello", host: "a.b", port: 80 }), /"Hello" is no name.*\n.*--port 80.*\n.*"a\.b"/);
    assert.match(refusal({ name: "taken" }), /apps\/taken is there already/);
    assert.match(refusal({ name: "visit-tracker" }), /Pulumi\.qa\.yaml has an entry visit-tracker already/);
    assert.match(
      refusal({ host: "visit-tracker" }),
      /Pulumi\.prod\.yaml gives the host "visit-tracker" to visit-tracker/,
    );
    assert.match(refusal({ port: NaN }), /--port NaN/);
    assert.deepEqual(STACKS.map(read), before);
    assert.deepEqual(fs.readdirSync(path.join(dir, "apps")), ["taken"]);
  });
});

describe("an entry in a stack file", () => {
  const entry = { port: 1 };
  const added = "    new:\n      port: 1\n";

  it("comes behind the others, before what follows them", () => {
    const text =
      "config:\n  platform:apps:\n    one:\n      port: 2\n\n  # A remark.\n  platform:build: true\nencryptionsalt: x\n";
    assert.equal(withApp(text, "new", entry), text.replace("      port: 2\n", `      port: 2\n${added}`));
  });

  it("comes to the end where the others are last, with or without a last line break", () => {
    const text = "config:\n  platform:apps:\n    one:\n      port: 2";
    for (const end of ["", "\n"]) assert.equal(withApp(text + end, "new", entry), `${text}\n${added}`);
  });

  it("is the first where there is none yet", () => {
    const wanted = `config:\n  platform:build: true\n  platform:apps:\n${added}`;
    assert.equal(withApp("config:\n  platform:build: true\n  platform:apps: {}\n", "new", entry), wanted);
    assert.equal(withApp("config:\n  platform:build: true\n", "new", entry), wanted);
    assert.equal(
      withApp("config:\n  a: 1\nother: 2\n", "new", entry),
      `config:\n  a: 1\n  platform:apps:\n${added}other: 2\n`,
    );
  });
});
