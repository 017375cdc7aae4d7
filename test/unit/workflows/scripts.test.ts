import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";

const SCRIPTS = path.resolve(__dirname, "..", "..", "..", ".github", "scripts");

interface Comment {
  id: number;
  body: string;
  user: { type: string };
}

/** What of GitHub the workflows' scripts need: the comments of one pull request, and identity tokens. */
class GitHub {
  comments: Comment[] = [];
  readOnly = false;
  readonly requests: string[] = [];
  private readonly server = http.createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      this.requests.push(`${request.method} ${request.url}`);
      const [status, body] = this.answer(request, text);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(request: http.IncomingMessage, text: string): [number, unknown] {
    const { method, url = "" } = request;
    if (request.headers.authorization !== "Bearer token") return [401, { message: "Bad credentials" }];
    const query = new URL(url, "http://x").searchParams;
    if (url.startsWith("/identity")) {
      const claims = Buffer.from(JSON.stringify({ exp: 1_800_000_000, aud: query.get("audience") })).toString(
        "base64url",
      );
      return [200, { value: `header.${claims}.signature` }];
    }
    if (method === "GET") {
      const [page, size] = [Number(query.get("page")), Number(query.get("per_page"))];
      return [200, this.comments.slice((page - 1) * size, page * size)];
    }
    if (this.readOnly) return [403, { message: "Resource not accessible by integration" }];
    const { body } = JSON.parse(text) as { body: string };
    const id = /issues\/comments\/(\d+)$/.exec(url)?.[1];
    if (method === "PATCH" && id) {
      for (const comment of this.comments) if (comment.id === Number(id)) comment.body = body;
      return [200, {}];
    }
    this.comments.push({ id: this.comments.length + 1, body, user: { type: "Bot" } });
    return [201, {}];
  }
}

function run(script: string, args: string[], env: NodeJS.ProcessEnv): Promise<{ code: number | null; out: string }> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [path.join(SCRIPTS, script), ...args], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.stderr.on("data", (data: Buffer) => (out += data.toString()));
    child.on("error", fail);
    child.on("close", (code) => done({ code, out }));
  });
}

describe("the workflows' scripts", () => {
  let github: GitHub;
  let url: string;
  let dir: string;

  beforeEach(async () => {
    github = new GitHub();
    url = await github.start();
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "comment-"));
  });
  afterEach(() => {
    github.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  const comment = (text: string): ReturnType<typeof run> => {
    const file = path.join(dir, "preview.md");
    fs.writeFileSync(file, text);
    const env = { GITHUB_TOKEN: "token", GITHUB_REPOSITORY: "o/r", PULL_REQUEST: "7", GITHUB_API_URL: url };
    return run("comment.mjs", [file], env);
  };
  const bodies = (): string[] => github.comments.map(({ body }) => body);

  it("adds one comment per stack and later updates it in place", async () => {
    assert.equal((await comment("<!-- platform preview dev -->\nfirst")).code, 0);
    await comment("<!-- platform preview qa -->\nother");
    await comment("<!-- platform preview dev -->\nsecond");
    assert.deepEqual(bodies(), ["<!-- platform preview dev -->\nsecond", "<!-- platform preview qa -->\nother"]);
    const before = github.requests.length;
    const { out } = await comment("<!-- platform preview dev -->\nsecond");
    assert.match(out, /preview\.md: unchanged/);
    assert.deepEqual(github.requests.slice(before), ["GET /repos/o/r/issues/7/comments?per_page=100&page=1"]);
  });

  it("finds its comment on a later page, and leaves a person's alone that begins alike", async () => {
    const person = { id: 1, body: "<!-- platform preview dev -->\nmine", user: { type: "User" } };
    const others = Array.from({ length: 120 }, (_, index) => ({ id: index + 2, body: "hm", user: { type: "User" } }));
    const ours = { id: 500, body: "<!-- platform preview dev -->\r\nold", user: { type: "Bot" } };
    github.comments = [person, ...others, ours];
    await comment("<!-- platform preview dev -->\nnew");
    assert.equal(ours.body, "<!-- platform preview dev -->\nnew");
    assert.equal(person.body, "<!-- platform preview dev -->\nmine");
  });

  it("is content to read where it may not write, and fails on anything else", async () => {
    github.readOnly = true;
    const { code, out } = await comment("<!-- platform preview dev -->\nx");
    assert.equal(code, 0);
    assert.match(out, /^::notice::No permission to comment here/m);
    github.stop();
    assert.notEqual((await comment("<!-- platform preview dev -->\nx")).code, 0);
  });

  it("publishes nothing that it could not find again", async () => {
    const { code, out } = await comment("# no marker");
    assert.equal(code, 1);
    assert.match(out, /does not begin with a hidden marker/);
    assert.deepEqual(bodies(), []);
  });

  it("logs in to a cluster with GitHub's identity token, for as long as it holds", async () => {
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/identity?v=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "token" };
    const { code, out } = await run("kube-login.mjs", ["my cluster"], env);
    assert.equal(code, 0, out);
    const credential = JSON.parse(out) as { kind: string; status: { token: string; expirationTimestamp: string } };
    assert.equal(credential.kind, "ExecCredential");
    assert.equal(credential.status.expirationTimestamp, "2027-01-15T08:00:00Z");
    assert.deepEqual(github.requests, ["GET /identity?v=1&audience=my%20cluster"]);
  });

  it("says why there is no identity token", async () => {
    assert.match((await run("kube-login.mjs", ["c"], {})).out, /permission id-token: write, and a fork has none/);
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/identity?v=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "stale" };
    assert.match((await run("kube-login.mjs", ["c"], env)).out, /no identity token for c: 401/);
    assert.match((await run("kube-login.mjs", [], {})).out, /usage: /);
  });
});
