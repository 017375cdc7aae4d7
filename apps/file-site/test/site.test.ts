import assert from "node:assert/strict";
import * as http from "node:http";
import * as net from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { Site } from "../src/site";
import { Store } from "../src/store";
import { FakeStore, etagOf } from "./fakeStore";

const TEXT = Buffer.from("0123456789");
const ETAG = etagOf(TEXT);

interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

describe("the site", () => {
  let fake: FakeStore;
  let store: Store;
  let site: Site;
  let port: number;
  before(async () => {
    fake = await FakeStore.start();
    store = new Store(fake.settings, 300);
    site = new Site(store);
    port = await site.listen(0, "127.0.0.1");
  });
  beforeEach(() => {
    fake.trouble = undefined;
    fake.asked.length = 0;
    fake.objects.clear();
    fake.put("text.txt", TEXT, "text/plain");
    fake.put("index.html", "<p>hello", "text/html");
    fake.put("folder/with space/ü%.gif", "GIF89a", "image/gif");
  });
  after(async () => {
    await site.stop(0, 100);
    store.close();
    await fake.stop();
  });

  const ask = (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Reply> =>
    new Promise((done, fail) => {
      const request = http.request({ port, host: "127.0.0.1", path, method, headers, agent: false }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", fail);
        response.on("end", () =>
          done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
        );
      });
      request.on("error", fail);
      request.end();
    });

  it("[004.4] gives an object with its type, its length and its mark", async () => {
    const { status, headers, body } = await ask("/text.txt");
    assert.deepEqual([status, body.toString()], [200, TEXT.toString()]);
    assert.deepEqual([headers["content-type"], headers["content-length"], headers.etag], ["text/plain", "10", ETAG]);
    assert.equal(headers["accept-ranges"], "bytes");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.match(String(headers["content-security-policy"]), /default-src 'none'/);
    assert.ok(!Object.keys(headers).some((name) => name.startsWith("x-amz") || name === "server"));
  });

  it("gives the page of a folder, and whatever name an object has", async () => {
    assert.equal((await ask("/")).body.toString(), "<p>hello");
    assert.equal((await ask("/?utm=1")).body.toString(), "<p>hello");
    assert.equal((await ask("/folder/with%20space/%C3%BC%25.gif")).headers["content-type"], "image/gif");
  });

  it("answers HEAD like GET, without the object", async () => {
    const { status, headers, body } = await ask("/text.txt", {}, "HEAD");
    assert.deepEqual([status, headers["content-length"], headers.etag, body.length], [200, "10", ETAG, 0]);
    assert.equal((await ask("/none", {}, "HEAD")).status, 404);
  });

  const ranges: [string, number, string, string?][] = [
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-2", 206, "89", "bytes 8-9/10"],
    ["bytes=8-99", 206, "89", "bytes 8-9/10"],
    ["bytes=0-1,4-5", 200, "0123456789"],
    ["lines=1-2", 200, "0123456789"],
    ["bytes=x-y", 200, "0123456789"],
    ["bytes=10-", 416, "It is not that long.\n", "bytes */10"],
  ];
  for (const [range, status, body, content] of ranges)
    it(`answers ${range} with ${status}`, async () => {
      const reply = await ask("/text.txt", { range });
      assert.deepEqual([reply.status, reply.body.toString()], [status, body]);
      assert.equal(reply.headers["content-range"], content);
    });

  it("gives a part only of what has not changed, where it is asked so", async () => {
    const range = "bytes=0-0";
    assert.equal((await ask("/text.txt", { range, "if-range": ETAG })).status, 206);
    assert.equal((await ask("/text.txt", { range, "if-range": '"other"' })).status, 200);
    assert.equal((await ask("/text.txt", { range, "if-range": "W/" + ETAG })).status, 200);
    assert.equal((await ask("/text.txt", { range, "if-range": "Sun, 02 Nov 2025 10:00:00 GMT" })).status, 206);
    assert.equal((await ask("/text.txt", { range, "if-range": "Fri, 31 Oct 2025 10:00:00 GMT" })).status, 200);
  });

  it("says that nothing changed, where that is so", async () => {
    const { status, headers, body } = await ask("/text.txt", { "if-none-match": ETAG });
    assert.deepEqual([status, body.length, headers.etag, headers["content-length"]], [304, 0, ETAG, undefined]);
    assert.equal((await ask("/text.txt", { "if-none-match": '"other"' })).status, 200);
    assert.equal((await ask("/text.txt", { "if-match": '"other"' })).status, 412);
  });

  for (const path of [
    "/none",
    "/text.txt/",
    "//text.txt",
    "/a/../text.txt",
    "/%2e%2e/text.txt",
    "/%00",
    "/%zz",
    "/a%5Cb",
    `/${"x".repeat(2000)}`,
  ])
    it(`has nothing at ${path.slice(0, 30)}`, async () => {
      const { status, headers, body } = await ask(path);
      assert.deepEqual([status, body.toString()], [404, "There is nothing here.\n"]);
      assert.equal(headers["cache-control"], "no-store");
    });

  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
    it(`does not allow ${method}, and asks the store nothing`, async () => {
      const { status, headers } = await ask("/text.txt", {}, method);
      assert.deepEqual([status, headers.allow, fake.asked.length], [405, "GET, HEAD", 0]);
    });

  it("lives without the store, is not ready without it, and says why to nobody outside", async () => {
    assert.equal((await ask("/readyz")).status, 200);
    fake.trouble = (_, response) => void response.writeHead(403).end("<Error><Code>AccessDenied</Code></Error>");
    assert.equal((await ask("/healthz")).status, 200);
    const ready = await ask("/readyz");
    assert.deepEqual([ready.status, ready.body.toString()], [503, "the store refuses the bucket: 403 AccessDenied\n"]);
    const { status, headers, body } = await ask("/text.txt");
    assert.deepEqual([status, headers["retry-after"]], [503, "2"]);
    assert.doesNotMatch(body.toString(), /Access|store|403/);
  });

  it("says so where the store does not take its key, and only there", async () => {
    const refused: string[] = [];
    const other = new Site(store, (reason) => refused.push(reason));
    const own = await other.listen(0, "127.0.0.1");
    const ready = async (code: string): Promise<number> => {
      fake.trouble = (_, response) => void response.writeHead(403).end(`<Error><Code>${code}</Code></Error>`);
      return (await fetch(`http://127.0.0.1:${own}/readyz`)).status;
    };
    assert.deepEqual([await ready("AccessDenied"), refused], [503, []]);
    assert.equal(await ready("SignatureDoesNotMatch"), 503);
    assert.deepEqual(refused, ["the store refuses the bucket: 403 SignatureDoesNotMatch"]);
    await other.stop(0, 100);
  });

  it("is not ready without the bucket, and says of no object that it is not there", async () => {
    fake.trouble = (_, response) => void response.writeHead(404).end("<Error><Code>NoSuchBucket</Code></Error>");
    assert.equal((await ask("/readyz")).status, 503);
    assert.equal((await ask("/text.txt")).status, 503);
    assert.equal((await ask("/text.txt", {}, "HEAD")).status, 503);
  });

  it("waits for a silent store no longer than it takes to say so", async () => {
    fake.trouble = () => undefined;
    const start = Date.now();
    assert.equal((await ask("/text.txt")).status, 503);
    assert.ok(Date.now() - start < 2000);
  });

  it("breaks off where the store does, so that nobody takes a part for the whole", async () => {
    fake.trouble = (_, response) => {
      response.writeHead(200, { "Content-Length": 100 });
      response.write("some", () => response.destroy());
    };
    await assert.rejects(ask("/text.txt"), /ECONNRESET|aborted/);
    fake.trouble = undefined;
    assert.equal((await ask("/text.txt")).status, 200);
  });

  it("asks the store for no more than is taken", async () => {
    const size = 64 * 2 ** 20;
    let sent = 0;
    fake.trouble = (_, response) => {
      response.writeHead(200, { "Content-Length": size });
      const part = Buffer.alloc(2 ** 16);
      const more = (): void => {
        while (sent < size && !response.destroyed) {
          sent += part.length;
          if (!response.write(part)) return void response.once("drain", more);
        }
        response.end();
      };
      more();
    };
    const socket = net.connect(port, "127.0.0.1");
    socket.write("GET /text.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise((resolve) => socket.once("data", resolve));
    socket.pause();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    assert.ok(sent < size / 2, `${sent} bytes were read for somebody who takes none`);
    socket.destroy();
  });

  it("counts what it answers, and tells that to those inside only", async () => {
    await ask("/text.txt");
    await ask("/text.txt", {}, "POST");
    const { status, headers, body } = await ask("/metrics");
    assert.equal(status, 200);
    assert.match(headers["content-type"] ?? "", /^text\/plain; version=0\.0\.4/);
    assert.match(body.toString(), /^http_requests_total\{method="GET",code="200"\} \d+$/m);
    assert.match(body.toString(), /^http_requests_total\{method="POST",code="405"\} \d+$/m);
    assert.match(body.toString(), /^http_sent_bytes_total \d+$/m);
    assert.equal((await ask("/metrics", { "x-forwarded-for": "192.0.2.1" })).status, 404);
  });

  it("ends what it began when it is told to stop", async () => {
    const other = new Site(store);
    const own = await other.listen(0, "127.0.0.1");
    fake.trouble = (_, response) => {
      response.writeHead(200, { "Content-Length": 8 });
      response.write("some");
      setTimeout(() => response.end("more"), 250);
    };
    const under = fetch(`http://127.0.0.1:${own}/text.txt`).then((reply) => reply.text());
    await new Promise((resolve) => setTimeout(resolve, 100));
    await other.stop(0, 2000);
    assert.equal(await under, "somemore");
    await assert.rejects(fetch(`http://127.0.0.1:${own}/healthz`));
  });
});
