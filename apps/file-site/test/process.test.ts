import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { FakeStore } from "./fakeStore";

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });

describe("the process", () => {
  let fake: FakeStore;
  const running: ChildProcess[] = [];
  before(async () => (fake = await FakeStore.start()));
  afterEach(() => running.splice(0).forEach((child) => child.kill("SIGKILL")));
  after(() => fake.stop());

  function run(environment: Record<string, string>): { child: ChildProcess; output: () => string } {
    const { endpoint, bucket, user, password } = fake.settings;
    const own = { AWS_ENDPOINT_URL_S3: endpoint.href, S3_BUCKET: bucket, AWS_ACCESS_KEY_ID: user };
    const child = spawn(process.execPath, ["--import", "tsx", "src/main.ts"], {
      cwd: join(__dirname, ".."),
      env: { PATH: process.env.PATH, HOST: "127.0.0.1", ...own, AWS_SECRET_ACCESS_KEY: password, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
    running.push(child);
    return { child, output: () => output };
  }

  async function until(url: string, status: number): Promise<void> {
    for (const end = Date.now() + 10_000; Date.now() < end;) {
      const found = await fetch(url).then(
        (reply) => reply.status,
        () => 0,
      );
      if (found === status) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${url} never answered ${status}`);
  }

  it("ends at once where its settings are wrong, and says all that is", async () => {
    const { child, output } = run({ PORT: "x", S3_BUCKET: "" });
    assert.deepEqual(await once(child, "close"), [1, null]);
    assert.match(output(), /"cannot start: S3_BUCKET is not set.*PORT is \\"x\\"/);
  });

  it("serves, and ends when it is told to", async () => {
    fake.put("text.txt", "hello", "text/plain");
    const port = await freePort();
    const { child, output } = run({ PORT: String(port) });
    await until(`http://127.0.0.1:${port}/readyz`, 200);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/text.txt`)).text(), "hello");
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "close"), [0, null]);
    assert.match(output(), /stopping after SIGTERM.*\n.*stopped/);
  });

  it("ends where its key is no good any more, so that the next one has the new key", async () => {
    const port = await freePort();
    const { child, output } = run({ PORT: String(port), AWS_SECRET_ACCESS_KEY: "the-one-before" });
    await until(`http://127.0.0.1:${port}/readyz`, 503);
    assert.deepEqual(await once(child, "close"), [1, null]);
    assert.match(output(), /stopping after the store refuses the bucket: 403 SignatureDoesNotMatch/);
    assert.doesNotMatch(output(), /the-one-before/);
  });
});
