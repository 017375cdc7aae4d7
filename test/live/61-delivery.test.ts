import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { History } from "../../components/lib/releases/record";
import { type EdgeClient, edgeClient } from "./edgeClient";
import { noneLost, underLoad } from "./load";
import { NAME, type Result, broughtUp, copyOfProject, kubectl, outputs, platform } from "./world";

const APP = "notes-page";
const STACK = "dev";
const OF = ["get", "deployment", APP, "-n", `${STACK}-apps`, "-o"];
/** Another each time: what an earlier run had rejected would be held back. */
const RUN = randomUUID();
const MARK = `<!-- the page of 9.2.0, ${RUN} -->`;

describe("delivery: what is refused, what is held back, and the way back", function () {
  this.timeout(1_200_000);
  let copy = "";
  let first: History["good"][number] | undefined;
  let client: EdgeClient;

  const edit = (file: string, change: (text: string) => string): void => {
    const full = path.join(copy, "apps", APP, file);
    const text = fs.readFileSync(full, "utf8");
    assert.notEqual(change(text), text, file);
    fs.writeFileSync(full, change(text));
  };
  const version = (to: string): void =>
    edit("package.json", (text) => text.replace(/"version": "[^"]*"/, `"version": "${to}"`));
  const up = (...args: string[]): Promise<Result> => platform("up", ["--name", NAME, ...args], { cwd: copy });
  const image = (): Promise<string> => kubectl([...OF, "jsonpath={.spec.template.spec.containers[0].image}"]);
  const history = async (): Promise<History> => {
    const found = (await outputs(STACK)) as unknown as { history: Readonly<Record<string, History>> };
    const own = found.history[APP];
    assert.ok(own);
    return own;
  };
  const page = async (): Promise<string> => {
    const { status, text } = await client.ask("GET", "/");
    assert.equal(status, 200, text);
    return text;
  };

  /** Nobody who asks for the page meanwhile, by a new connection each time, is left without. */
  async function served<T>(work: () => Promise<T>): Promise<T> {
    const { edge } = await outputs(STACK);
    const done: T[] = [];
    const one = { workers: 1, pauseMs: 200 };
    noneLost(await underLoad(10, [edge, client.host, "/"], async () => done.push(await work()), one));
    return done[0] as T;
  }

  const timed = async (what: string, work: () => Promise<Result>): Promise<Result> => {
    const started = Date.now();
    const result = await work();
    console.log(`      ${what} after ${Math.round((Date.now() - started) / 1000)} s`);
    return result;
  };

  before(async () => {
    await broughtUp();
    copy = await copyOfProject();
    client = await edgeClient(STACK, APP);
    [first] = (await history()).good;
  });
  after(async () => {
    fs.rmSync(copy, { recursive: true, force: true });
    // Also where a test ended on the way.
    const { code, all } = await platform("up", ["--name", NAME, "--allow-lower", `${APP}=the suite is over`]);
    assert.equal(code, 0, all);
  });

  it("refuses a lower version after a higher one, with nothing written", async () => {
    const generation = await kubectl([...OF, "jsonpath={.metadata.generation}"]);
    version("0.0.9");
    const { code, all } = await timed("refused", () => up());
    assert.equal(code, 1, all);
    assert.match(
      all,
      /notes-page 0\.0\.9 is lower than 0\.1\.0 \(sha256:\w{12}\), which runs in dev: release a higher/,
    );
    assert.doesNotMatch(all, /\d+ (created|updated|replaced|deleted)/);
    assert.equal(await kubectl([...OF, "jsonpath={.metadata.generation}"]), generation);
  });

  it("[000.22] a version that crashes is seen by nobody: the cause is told, the stack ends on the last good, and holds it back", async () => {
    version("9.1.0");
    edit("Dockerfile", (text) => text.replace('"/app/httpd.conf"', `"/nowhere/${RUN}.conf"`));
    const failed = await served(() => timed("gone back", () => up()));
    assert.equal(failed.code, 1, failed.all);
    assert.match(failed.all, /notes-page does not get ready: it ends with exit code 1; it said last:[^]*\/nowhere\//);
    assert.match(failed.all, /dev runs what was good before, .*:\n {2}notes-page .*\n[^]*--retry notes-page/);
    assert.equal(await image(), first?.image);
    const { good, rejected } = await history();
    assert.deepEqual([good[0]?.image, rejected[0]?.version], [first?.image, "9.1.0"]);

    const next = await timed("looked", () => up("--check"));
    assert.equal(next.code, 0, next.all);
    assert.match(next.all, /notes-page stays at 0\.1\.0 .* 9\.1\.0 .* was rejected at .*: it ends with exit code 1/);
  });

  it("[000.21] goes back to the last good release by one command, without a build and without a failed request", async () => {
    version("9.2.0");
    edit("Dockerfile", (text) => text.replace(`/nowhere/${RUN}.conf`, "/app/httpd.conf"));
    edit("public/index.html", (text) => `${text}${MARK}\n`);
    const better = await served(() => timed("released", () => up()));
    assert.equal(better.code, 0, better.all);
    assert.ok((await page()).includes(MARK));

    const args = ["--name", NAME, "--stack", STACK, APP, "--reason", "the page looks wrong"];
    const back = await served(() => timed("rolled back", () => platform("rollback", args, { cwd: copy })));
    assert.equal(back.code, 0, back.all);
    assert.doesNotMatch(back.all, /RemoteImage|RegistryImage/);
    assert.equal(await image(), first?.image);
    assert.ok(!(await page()).includes(MARK));
    assert.match(back.all, /rejected 9\.2\.0 .*: the page looks wrong/);
  });
});
