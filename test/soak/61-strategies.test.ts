import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as https from "node:https";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseDocument } from "yaml";
import type { Outputs } from "../../checks/stand";
import type { Result } from "../live/world";
import { NAME, broughtUp, copyOfProject, eventually, kubectl, outputs, platform } from "../live/world";

const STACK = "dev";
const APP = "switched";
const APPS = `${STACK}-apps`;
const SECONDS = 15;
/** Half of them keep their connection. */
const WORKERS = 6;

interface Load {
  /** How often each answer came. */
  readonly answers: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

/** Asks the application's page by the edge for as long as the work takes, and a little longer. */
async function underLoad(edge: Outputs["edge"], work: () => Promise<unknown>): Promise<Load> {
  const host = new URL(edge.hosts[APP] ?? "").hostname;
  const answers: Record<string, number> = {};
  const failures: string[] = [];
  let ended = false;
  const one = (agent: https.Agent | false): Promise<void> =>
    new Promise((done, fail) => {
      const options = { host: edge.address, servername: host, headers: { host }, ca: edge.certificateAuthority };
      const request = https.get({ ...options, path: "/", agent, timeout: 10_000 }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("error", fail);
        response.on("end", () => {
          const answer = `${response.statusCode} ${text.trim()}`;
          answers[answer] = (answers[answer] ?? 0) + 1;
          if (response.statusCode !== 200) failures.push(`${new Date().toISOString()} ${answer}`);
          done();
        });
      });
      request.on("timeout", () => request.destroy(new Error("no answer in 10 s")));
      request.on("error", fail);
    });
  const worker = async (_: unknown, index: number): Promise<void> => {
    const agent = index % 2 === 0 && new https.Agent({ keepAlive: true, maxSockets: 1 });
    while (!ended) {
      await one(agent).catch((error: Error) => failures.push(`${new Date().toISOString()} ${error.message}`));
      await sleep(50);
    }
    if (agent) agent.destroy();
  };
  const working = Array.from({ length: WORKERS }, worker);
  try {
    await work();
    await sleep(3000);
  } finally {
    ended = true;
    await Promise.all(working);
  }
  console.log(`      ${JSON.stringify(answers)}, ${failures.length} lost`);
  return { answers, failures };
}

describe("strategies: a new version beside the old one", function () {
  this.timeout(900_000);
  let copy = "";
  let edge: Outputs["edge"];

  before(async () => {
    await broughtUp();
    copy = await copyOfProject();
    const { code, all } = await platform("app", ["new", APP], { cwd: copy });
    assert.equal(code, 0, all);
  });
  after(async () => {
    fs.rmSync(copy, { recursive: true, force: true });
    const { code, all } = await platform("up", ["--name", NAME]);
    assert.equal(code, 0, all);
  });

  const up = (...args: string[]): Promise<Result> =>
    platform("up", ["--name", NAME, ...args], { cwd: copy, timeoutMs: 600_000 });
  const sound = async (): Promise<void> => {
    const { code, all } = await up();
    assert.equal(code, 0, all);
  };

  function strategy(value: object): void {
    const file = path.join(copy, `Pulumi.${STACK}.yaml`);
    const document = parseDocument(fs.readFileSync(file, "utf8"));
    document.setIn(["config", "platform:apps", APP, "strategy"], value);
    document.setIn(["config", "platform:apps", APP, "replicas"], 2);
    fs.writeFileSync(file, document.toString());
  }

  /** The page's text is made by this expression. */
  function release(expression: string): void {
    const file = path.join(copy, "apps", APP, "src", "server.js");
    const source = fs.readFileSync(file, "utf8");
    const changed = source.replace(/^ {2}"\/": \(\) => .*,$/m, `  "/": () => ${expression},`);
    assert.notEqual(changed, source);
    fs.writeFileSync(file, changed);
  }

  const field = (kind: string, name: string, jsonPath: string): Promise<string> =>
    kubectl(["get", kind, name, "-n", APPS, `-o=jsonpath=${jsonPath}`]);
  const live = (): Promise<string> => field("service", APP, "{.spec.selector.platform/colour}");
  const log = (): Promise<string> => kubectl(["logs", `job/${APP}-switch`, "-n", APPS]);

  const only = ({ answers, failures }: Load, ...expected: string[]): void => {
    assert.deepEqual(failures.slice(0, 5), []);
    assert.deepEqual(Object.keys(answers).sort(), expected.map((text) => `200 ${text}`).sort());
    for (const [answer, count] of Object.entries(answers)) assert.ok(count > 20, `${answer}: ${count}`);
  };

  it("brings a first version up", async () => {
    strategy({ type: "blue-green", seconds: SECONDS, keep: "30s" });
    release('"one"');
    await sound();
    ({ edge } = await outputs(STACK));
    await eventually(async () => only(await underLoad(edge, () => sleep(1000)), "one"), 60_000);
    assert.equal(await live(), "blue");
  });

  it("[004.18] blue-green: moves all requests at once, and loses none", async () => {
    release('"two"');
    only(await underLoad(edge, sound), "one", "two");
    assert.equal(await live(), "green");
    only(await underLoad(edge, () => sleep(1000)), "two");
  });

  it("takes the old version away when its time is over", async () => {
    await eventually(async () => {
      assert.equal(await field("deployment", `${APP}-blue`, "{.spec.replicas}"), "0");
      assert.equal(await field("cronjob", `${APP}-tidy`, "{.spec.suspend}"), "true");
    }, 240_000);
    assert.equal(await field("deployment", `${APP}-green`, "{.status.readyReplicas}"), "2");
  });

  it("[004.18] canary: shares requests out, judges by what the edge counted, and loses none", async () => {
    strategy({ type: "canary", steps: [25], seconds: SECONDS, keep: "10m" });
    release('"three"');
    only(await underLoad(edge, sound), "two", "three");
    assert.equal(await live(), "blue");
    const said = await log();
    assert.match(said, /blue gets 25 %/);
    assert.match(said, /counted at the edge so far, by status: \{\\"200\\":[1-9]/);
  });

  it("changes nothing when nothing is new", async () => {
    const before = await field("job", `${APP}-switch`, "{.metadata.uid}");
    await sound();
    assert.equal(await field("job", `${APP}-switch`, "{.metadata.uid}"), before);
  });

  it("[000.21] goes back by one command, without a build, and loses none", async () => {
    const args = ["--name", NAME, "--stack", STACK, APP, "--reason", "two was better"];
    const back = async (): Promise<void> => {
      const { code, all } = await platform("rollback", args, { cwd: copy });
      assert.equal(code, 0, all);
      assert.doesNotMatch(all, /RegistryImage/);
    };
    only(await underLoad(edge, back), "three", "two");
    assert.equal(await live(), "green");
  });

  it("[004.19] holds back a version that answers 500 after ten seconds: no user sees it, and the update says why", async () => {
    release('{ if (process.uptime() > 10) throw new Error("worn out"); return "four"; }');
    const file = path.join(copy, "apps", APP, "src", "server.js");
    const guarded = `try { text(200, ANSWERS[path]()); } catch { text(500, "worn out\\n"); }`;
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace("text(200, ANSWERS[path]());", guarded));
    const results: Result[] = [];
    only(await underLoad(edge, async () => results.push(await up())), "two");
    const [{ code = 0, all = "" } = {}] = results;
    assert.notEqual(code, 0);
    assert.match(all, new RegExp(`${APP}: .*is held back, the version before serves on: .*500`));
    assert.match(all, new RegExp(`${STACK} runs what was good before, .*:\\n {2}${APP} .*500[^]*--retry ${APP}`));
    assert.equal(await live(), "green");
    assert.equal(await field("deployment", `${APP}-blue`, "{.spec.replicas}"), "0");
  });

  it("[004.19] leaves it held back, and says so, until somebody wants it tried again", async () => {
    const { code, all } = await up();
    assert.equal(code, 0, all);
    assert.match(all, new RegExp(`${APP} stays at .* was rejected at .*500`));
    only(await underLoad(edge, () => sleep(1000)), "two");
    const again = await up("--retry", APP);
    assert.notEqual(again.code, 0);
    assert.match(again.all, new RegExp(`${APP}: .*is held back, the version before serves on: .*500`));
    only(await underLoad(edge, () => sleep(1000)), "two");
  });
});
