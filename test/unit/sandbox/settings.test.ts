import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { SLOTS, filesOf, sandboxDir } from "../../../sandbox/layout";
import { allSandboxes, alone, claim, existing } from "../../../sandbox/settings";

const SETTINGS = join(__dirname, "../../../sandbox/settings");

describe("the slots of the sandboxes", () => {
  const outside = process.env.PLATFORM_CACHE;
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), "slots-"));
    process.env.PLATFORM_CACHE = cache;
  });
  afterEach(() => {
    if (outside === undefined) delete process.env.PLATFORM_CACHE;
    else process.env.PLATFORM_CACHE = outside;
    rmSync(cache, { recursive: true, force: true });
  });

  it("are none before the first claim, and looking leaves no trace", () => {
    assert.equal(existing("one"), undefined);
    assert.deepEqual(allSandboxes(), []);
    assert.deepEqual(readdirSync(cache), []);
  });

  it("are one for each name, kept for as long as the sandbox is there", async () => {
    const [one, two] = [await claim("one"), await claim("two")];
    assert.notEqual(one.slot, two.slot);
    assert.equal((await claim("one")).slot, one.slot);
    assert.equal(existing("two")?.slot, two.slot);
    assert.deepEqual(allSandboxes().sort(), ["one", "two"]);
  });

  it("are free again once the sandbox is gone", async () => {
    const { slot, dir } = await claim("one");
    rmSync(dir, { recursive: true });
    assert.equal((await claim("two")).slot, slot);
  });

  it("are distinct for claims at the same time, and one for the same name", async () => {
    const layouts = await Promise.all(["a", "b", "c", "a", "b", "c"].map((name) => claim(name)));
    const slots = layouts.map(({ slot }) => slot);
    assert.equal(new Set(slots).size, 3);
    assert.deepEqual(slots.slice(0, 3), slots.slice(3));
  });

  it("are distinct for claims of several processes at the same time", async () => {
    const program = `require(${JSON.stringify(SETTINGS)}).claim(process.argv[1]).then(({ slot }) => console.log(slot))`;
    const run = promisify(execFile);
    const results = await Promise.all(
      ["a", "b", "c"].map((name) =>
        run(process.execPath, ["--require", require.resolve("tsx/cjs"), "-e", program, name]),
      ),
    );
    const slots = results.map(({ stdout }) => Number(stdout));
    assert.equal(new Set(slots).size, 3);
    assert.deepEqual(
      slots,
      ["a", "b", "c"].map((name) => existing(name)?.slot),
    );
  });

  it("are claimed anew by a sandbox whose settings a kill cut short", async () => {
    mkdirSync(sandboxDir("cut"), { recursive: true });
    writeFileSync(filesOf(sandboxDir("cut")).settings, '{"sl');
    assert.equal(existing("cut"), undefined);
    assert.equal((await claim("cut")).slot, existing("cut")?.slot);
  });

  it("end, and then the refusal names those that hold them", async () => {
    for (let slot = 0; slot < SLOTS; slot++) {
      mkdirSync(sandboxDir(`s${slot}`), { recursive: true });
      writeFileSync(filesOf(sandboxDir(`s${slot}`)).settings, JSON.stringify({ slot }));
    }
    await assert.rejects(claim("more"), /all 16 sandbox slots are taken: end one first .*--name NAME; here: .*s15/);
    assert.equal(existing("more"), undefined);
  });

  it("are not given to a name that is none", async () => {
    await assert.rejects(claim("../one"), /is not usable/);
    assert.deepEqual(readdirSync(cache), []);
  });

  it("have one command at a time on their sandbox", async () => {
    const layout = await claim("one");
    const order: string[] = [];
    const work = (name: string) => (): Promise<void> => {
      order.push(`${name} begins`);
      return new Promise((done) => setTimeout(() => done(void order.push(`${name} ends`)), 30));
    };
    const say = console.error;
    console.error = () => undefined;
    try {
      await Promise.all([alone(layout, work("first")), alone(layout, work("second"))]);
    } finally {
      console.error = say;
    }
    assert.deepEqual(order, ["first begins", "first ends", "second begins", "second ends"]);
  });
});
