import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { CERTIFICATES, environmentOf } from "../../../components/objectStore/service";
import { freePort } from "../freePort";
import { ObjectStorePod } from "./objectStorePod";
import { until } from "./redisPods";

const SITE = join(__dirname, "../../../apps/file-site/src");
const TSX = ["--require", require.resolve("tsx/cjs")];

/** The application as its pods run it, by a real store that wants its certificate and its key. */
describe("the file site by a real object store", function () {
  this.timeout(60_000);
  let pod: ObjectStorePod;
  let site: ChildProcess;
  let url = "";
  let said = "";
  before(async function () {
    const made = await ObjectStorePod.make();
    if (!made) return this.skip();
    pod = made;
    pod.start();
    await until(
      "it serves",
      async () => (await pod.inside("/minio/health/cluster/read").catch(() => undefined))?.status === 200,
      30_000,
    );
    await pod.keep({ site: { name: "files", access: "read", load: ["load"] } });
    await until("all is as declared", pod.isKept, 30_000);
    assert.deepEqual(load(), { code: 0, said: "picture.gif is loaded" });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const env = { ...environment("app-site"), PORT: String(port), HOST: "127.0.0.1" };
    site = spawn(process.execPath, [...TSX, join(SITE, "main.ts")], { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [site.stdout, site.stderr]) stream?.on("data", (data: Buffer) => (said += data.toString()));
    await until("it is ready", async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok === true, 20_000);
  });
  after(async () => {
    if (site?.exitCode === null) {
      const over = once(site, "exit");
      site.kill("SIGKILL");
      await over;
    }
    await pod?.end();
  });
  afterEach(function () {
    if (this.currentTest?.state === "failed") console.log(said, pod.log.slice(-2000));
  });

  function environment(user: string, client = pod.client(pod.clients, "site")): NodeJS.ProcessEnv {
    cpSync(client.cert, pod.at("client/tls.crt"));
    cpSync(client.key, pod.at("client/tls.key"));
    const login = { endpoint: pod.endpoint, bucket: "files", user, password: `password-of-${user}` };
    const own = environmentOf(login) as Record<string, string>;
    assert.equal(own.S3_CERTIFICATES, CERTIFICATES);
    return { PATH: process.env.PATH, ...own, S3_CERTIFICATES: pod.at("client") };
  }

  function load(): { code: number | null; said: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...TSX, join(SITE, "load.ts")], {
      env: environment("load-site"),
      encoding: "utf8",
    });
    const { message } = JSON.parse((stdout || stderr).trim().split("\n").at(-1) ?? "{}") as { message: string };
    return { code: status, said: message };
  }

  const picture = async (headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/picture.gif`, { headers });
  const hash = async (reply: Response): Promise<string> =>
    createHash("sha256")
      .update(Buffer.from(await reply.arrayBuffer()))
      .digest("hex");

  it("[004.4] [004.8] serves what was loaded, byte by byte, with its type", async () => {
    const reply = await picture();
    assert.deepEqual([reply.status, reply.headers.get("content-type")], [200, "image/gif"]);
    assert.ok(Number(reply.headers.get("content-length")) > 2 ** 20);
    // Of the picture as its source makes it.
    assert.equal(await hash(reply), "adaaa0a68073d4689081dd8a2731461dcb0574d579d8b9993869d18b05882fe5");
  });

  it("[004.8] loads nothing a second time", async () => {
    const before = (await picture()).headers.get("last-modified");
    assert.deepEqual(load(), { code: 0, said: "picture.gif was there already" });
    assert.equal((await picture()).headers.get("last-modified"), before);
  });

  it("gives parts, and says where nothing changed", async () => {
    const part = await picture({ range: "bytes=0-5" });
    assert.deepEqual([part.status, await part.text()], [206, "GIF89a"]);
    const length = (await picture()).headers.get("content-length");
    const beyond = await picture({ range: `bytes=${length}-` });
    assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, `bytes */${length}`]);
    const etag = part.headers.get("etag") ?? "";
    assert.equal((await picture({ "if-none-match": etag })).status, 304);
    assert.equal((await picture({ range: "bytes=0-5", "if-range": etag })).status, 206);
    assert.equal((await picture({ range: "bytes=0-5", "if-range": '"other"' })).status, 200);
    assert.equal((await picture({ "if-match": '"other"' })).status, 412);
  });

  it("says what is not there, whatever asks", async () => {
    for (const method of ["GET", "HEAD"]) assert.equal((await fetch(`${url}/none.gif`, { method })).status, 404);
    assert.equal((await fetch(`${url}/a/..%2f..%2forders`)).status, 404);
  });

  it("[004.5] cannot load with a certificate of another authority", () => {
    const stranger = environment("load-site", pod.client(pod.platform, "stranger"));
    const script = `
      const { Store } = require(${JSON.stringify(join(SITE, "store.ts"))});
      const { storeSettings } = require(${JSON.stringify(join(SITE, "settings.ts"))});
      new Store(storeSettings(process.env)).check().then(() => console.log("let in"), (error) => console.log(error.message));`;
    const { stdout } = spawnSync(process.execPath, [...TSX, "-e", script], { env: stranger, encoding: "utf8" });
    assert.match(stdout, /the store does not answer: (ERR_SSL|ECONNRESET|EPROTO)/);
    // The site looks for a renewed one where this one now is.
    environment("app-site");
  });

  it("says 503 while the store is away, and serves again by itself", async () => {
    await pod.stop("minio", "SIGKILL");
    const away = await picture();
    assert.deepEqual([away.status, away.headers.get("retry-after")], [503, "2"]);
    assert.equal((await fetch(`${url}/readyz`)).status, 503);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    pod.start();
    await until("it serves again", async () => (await picture()).status === 200, 30_000);
  });
});
