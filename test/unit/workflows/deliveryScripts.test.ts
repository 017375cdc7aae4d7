import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";

const SCRIPTS = path.resolve(__dirname, "..", "..", "..", ".github", "scripts");

interface Issue {
  readonly number: number;
  state: string;
  title: string;
  body: string;
  readonly user: { readonly type: string };
}

/** GitHub's issues and identity tokens, and who gives a role for one. */
class Fakes {
  readonly issues: Issue[] = [];
  readonly asked: string[] = [];
  url = "";
  private readonly server = http.createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const { method, url = "" } = request;
      this.asked.push(`${method} ${url.split("?")[0]}`);
      const [status, body] = this.answer(method ?? "", url, text);
      response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });

  async start(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(method: string, url: string, text: string): [number, unknown] {
    if (url.startsWith("/identity")) return [200, { value: "identity-token" }];
    if (url.startsWith("/sts")) {
      const asked = new URLSearchParams(text);
      if (asked.get("WebIdentityToken") !== "identity-token" || asked.get("RoleArn") !== "role") return [403, "<no/>"];
      return [
        200,
        "<r><AccessKeyId>key</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>psst</SessionToken></r>",
      ];
    }
    if (method === "GET") return [200, this.issues.filter(({ state }) => state === "open")];
    const change = JSON.parse(text) as Partial<Issue>;
    const number = Number(/issues\/(\d+)$/.exec(url)?.[1]);
    const known = this.issues.find((issue) => issue.number === number);
    const issue = known ?? {
      number: this.issues.length + 1,
      state: "open",
      title: "",
      body: "",
      user: { type: "Bot" },
    };
    if (!known) this.issues.push(issue);
    return [200, Object.assign(issue, change)];
  }
}

describe("the scripts of the delivery's workflows", function () {
  this.timeout(120_000);
  const fakes = new Fakes();
  let dir: string;
  before(() => fakes.start());
  after(() => fakes.stop());
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "delivery-"));
    fakes.issues.length = 0;
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  const run = (
    script: string,
    args: string[],
    env: NodeJS.ProcessEnv,
  ): Promise<{ code: number | null; said: string }> =>
    new Promise((done, fail) => {
      const child = spawn(process.execPath, [path.join(SCRIPTS, script), ...args], {
        env: { PATH: process.env.PATH, ...env },
      });
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (said += data.toString()));
      child.on("error", fail);
      child.on("close", (code) => done({ code, said }));
    });

  const login = (env: NodeJS.ProcessEnv): Promise<{ code: number | null; said: string }> =>
    run("login.mjs", [], {
      RUNNER_TEMP: dir,
      GITHUB_ENV: path.join(dir, "env"),
      ACTIONS_ID_TOKEN_REQUEST_URL: `${fakes.url}/identity?v=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "token",
      STATE_STS: `${fakes.url}/sts`,
      PLATFORM_KUBECONFIG: "users: []",
      ...env,
    });

  it("give a job the kubeconfig, and the state's key for as long as it runs, which no log shows", async () => {
    const { code, said } = await login({ STATE_ROLE: "role" });
    assert.equal(code, 0, said);
    const kept = fs.readFileSync(path.join(dir, "env"), "utf8");
    assert.match(
      kept,
      /^KUBECONFIG=.*kubeconfig\nAWS_ACCESS_KEY_ID=key\nAWS_SECRET_ACCESS_KEY=hush\nAWS_SESSION_TOKEN=psst\n$/,
    );
    assert.equal(fs.statSync(path.join(dir, "kubeconfig")).mode & 0o777, 0o600);
    assert.equal(said, "::add-mask::hush\n::add-mask::psst\n");
  });

  it("say why they cannot", async () => {
    assert.match((await login({ PLATFORM_KUBECONFIG: "" })).said, /variable PLATFORM_KUBECONFIG is not set/);
    assert.match((await login({ STATE_ROLE: "other" })).said, /^error: other is not given to this run: 403/m);
    assert.match((await login({ STATE_ROLE: "role", ACTIONS_ID_TOKEN_REQUEST_URL: "" })).said, /id-token: write/);
    assert.equal((await login({ STATE_ROLE: "" })).code, 0, "a state elsewhere needs no role");
  });

  const DRIFT = [
    {
      kind: "Deployment",
      namespace: "dev-apps",
      name: "web",
      change: "changed",
      path: "spec.replicas",
      wanted: 1,
      found: "hush",
      manager: "kubectl-scale @anna",
      time: "2026-01-01T00:00:00Z",
    },
  ];
  const report = async (drift: object[]): Promise<string> => {
    const file = path.join(dir, "drift.json");
    fs.writeFileSync(file, JSON.stringify({ stack: "dev", drift }));
    const env = { GITHUB_TOKEN: "token", GITHUB_REPOSITORY: "o/r", GITHUB_API_URL: fakes.url };
    const { code, said } = await run("issue.mjs", [file], env);
    assert.equal(code, 0, said);
    return said;
  };

  it("keep one issue that names object, field and field manager, and no value, and close it in the end", async () => {
    const theirs = {
      number: 1,
      state: "open",
      title: "",
      body: "<!-- platform drift -->\nmine",
      user: { type: "User" },
    };
    fakes.issues.push(theirs);
    assert.match(await report(DRIFT), /issue 2 says/);
    assert.match(await report([...DRIFT, ...DRIFT]), /issue 2 says/);
    const [, ours] = fakes.issues;
    assert.equal(fakes.issues.length, 2);
    assert.equal(ours?.title, "Drift in dev");
    const row = "| Deployment dev-apps/web | spec.replicas | kubectl-scale @\u200banna | 2026-01-01T00:00:00Z |";
    assert.equal(ours.body.split("\n").filter((line) => line === row).length, 2, ours.body);
    assert.ok(!ours.body.includes("hush"));
    assert.match(await report([]), /issue 2 is closed/);
    assert.deepEqual([ours.state, theirs.state], ["closed", "open"]);
    assert.match(await report([]), /^nothing differs$/m);
  });
});
