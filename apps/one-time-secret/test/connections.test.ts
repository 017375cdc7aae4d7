import assert from "node:assert/strict";
import { type Socket, connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Cipher } from "../src/cipher";
import { WebServer } from "../src/http/server";
import { Secrets } from "../src/secrets";
import { MemoryStore } from "./memoryStore";

const JSON_TYPE = "Content-Type: application/json\r\n";
const POST = "POST /api/v1/secrets HTTP/1.1\r\nHost: test\r\n";
/** Enough for what a long-lived process collects, and far less than these requests sent. */
const ROOM_MB = 24;

function service(patience?: ConstructorParameters<typeof WebServer>[2]): { server: WebServer; store: MemoryStore } {
  const store = new MemoryStore();
  const cipher = new Cipher(["0123456789abcdef0123456789abcdef"]);
  return { store, server: new WebServer(new Secrets(store, cipher), store, patience) };
}

describe("a connection", () => {
  const { server, store } = service({ request: 600, headers: 300, idle: 5000, stuck: 1500 });
  let port: number;
  before(async () => (port = await server.listen(0, "127.0.0.1")));
  after(() => server.stop(0, 100));

  /** What the server says until it closes the connection. */
  function talk(send: (socket: Socket) => void | Promise<void>): Promise<string> {
    return new Promise((resolve) => {
      let heard = "";
      const socket = connect(port, "127.0.0.1", () => void send(socket));
      socket.setEncoding("latin1").on("data", (part: string) => (heard += part));
      socket.on("error", () => undefined).on("close", () => resolve(heard));
    });
  }
  const status = (heard: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(heard)?.[1]);

  it("that does not speak HTTP gets an answer in JSON", async () => {
    const heard = await talk((socket) => void socket.write("hello\r\n\r\n"));
    assert.equal(status(heard), 400);
    assert.match(heard, /\{"error":\{"code":"bad_request","message":"[^"]+"\}\}\n$/);
  });

  it("with endless headers is refused", async () => {
    assert.equal(status(await talk((socket) => void socket.write(`${POST}X: ${"x".repeat(20_000)}\r\n\r\n`))), 431);
  });

  it("that dribbles its headers is closed in time", async () => {
    const start = Date.now();
    const heard = await talk(async (socket) => {
      for (const character of POST.repeat(3)) {
        if (!socket.writable) return;
        socket.write(character);
        await sleep(50);
      }
    });
    assert.equal(status(heard), 408);
    assert.ok(Date.now() - start < 1500);
  });

  it("that dribbles its body is closed in time", async () => {
    const start = Date.now();
    const heard = await talk(async (socket) => {
      socket.write(`${POST}${JSON_TYPE}Content-Length: 1000\r\n\r\n`);
      while (socket.writable) {
        socket.write("x");
        await sleep(50);
      }
    });
    assert.equal(status(heard), 408);
    assert.ok(Date.now() - start < 2000);
  });

  it("that never stops sending hears of it at once, and is closed in time", async () => {
    let answered = 0;
    const start = Date.now();
    const heard = await talk(async (socket) => {
      socket.once("data", () => (answered = Date.now() - start));
      socket.write(`${POST}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`);
      while (socket.writable && !socket.destroyed) {
        socket.write(`10000\r\n${"x".repeat(0x10000)}\r\n`);
        await sleep(2);
      }
    });
    assert.equal(status(heard), 413);
    assert.ok(answered < 500, `answered after ${answered} ms`);
    assert.ok(Date.now() - start < 2500, `closed after ${Date.now() - start} ms`);
  });

  it("that is left in the middle of a request does no harm", async () => {
    for (const part of ["PO", POST, `${POST}${JSON_TYPE}Content-Length: 1000\r\n\r\n{"sec`]) {
      await talk((socket) => void socket.write(part, () => socket.destroy()));
    }
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
  });

  it("without a usable host gets no link", async () => {
    for (const host of ["Host: a/b?c\r\n", "Host: \r\n", 'Host: "><script>\r\n'])
      assert.equal(
        status(
          await talk(
            (socket) => void socket.write(`${POST.split("Host")[0]}${host}Connection: close\r\n${JSON_TYPE}\r\n`),
          ),
        ),
        400,
      );
  });

  it("in use is served to the end when the service stops, which says before that it is not ready", async () => {
    const { server: other, store: slow } = service();
    const base = `http://127.0.0.1:${await other.listen(0, "127.0.0.1")}`;
    const proceed = slow.create.bind(slow);
    slow.create = async (...args): Promise<void> => {
      await sleep(600);
      return proceed(...args);
    };
    const headers = { "Content-Type": "application/json" };
    const made = fetch(`${base}/api/v1/secrets`, { method: "POST", headers, body: '{"secret":"hush"}' });
    await sleep(100);
    const stopped = other.stop(300, 5000);
    const ready = await fetch(`${base}/readyz`);
    assert.deepEqual([ready.status, await ready.json()], [503, { ready: false, reason: "shutting down" }]);
    assert.equal((await made).status, 201);
    await stopped;
    await assert.rejects(fetch(`${base}/healthz`));
  });

  it("that never ends is cut off when the service stops", async () => {
    const { server: other } = service();
    const stuck = connect(await other.listen(0, "127.0.0.1"), "127.0.0.1", () => stuck.write(POST));
    stuck.on("error", () => undefined);
    await sleep(100);
    const start = Date.now();
    await other.stop(0, 200);
    assert.ok(Date.now() - start < 1000);
  });

  it("with ten thousand bad requests leaves memory flat, and no answer is a 5xx or shows the inside", async () => {
    assert.ok(global.gc, "needs --expose-gc");
    const { server: other } = service();
    const base = `http://127.0.0.1:${await other.listen(0, "127.0.0.1")}`;
    const headers = { "Content-Type": "application/json" };
    const big = JSON.stringify({ secret: "x".repeat(130_000) });
    const id = "A".repeat(22);
    const bad: [string, RequestInit][] = [
      ["/api/v1/secrets", { method: "POST", headers, body: "{" }],
      ["/api/v1/secrets", { method: "POST", headers, body: "{}" }],
      ["/api/v1/secrets", { method: "POST", headers, body: big }],
      ["/api/v1/secrets", { method: "PUT" }],
      ["/api/v1/secrets", { method: "POST", body: "text" }],
      [`/api/v1/secrets/${id}/reveal`, { method: "POST", headers, body: `{"key":"${"A".repeat(43)}"}` }],
      [`/api/v1/secrets/${id}`, {}],
      ["/nothing", {}],
    ];
    const round = async (count: number): Promise<number> => {
      for (let sent = 0; sent < count; sent += 20) {
        const answers = await Promise.all(
          Array.from({ length: 20 }, async (_, index) => {
            const [path, init] = bad[(sent + index) % bad.length] ?? ["/nothing", {}];
            const response = await fetch(`${base}${path}?${sent + index}`, init);
            return { status: response.status, text: await response.text() };
          }),
        );
        for (const { status: code, text } of answers) {
          assert.ok(code >= 400 && code < 500, `${code}: ${text}`);
          assert.doesNotMatch(text, /\bat .*:\d+|node:|Error:/);
        }
      }
      global.gc?.();
      await sleep(50);
      global.gc?.();
      return process.memoryUsage().heapUsed / 2 ** 20;
    };
    const before = await round(1000);
    const grown = (await round(10_000)) - before;
    await other.stop(0, 1000);
    assert.ok(grown < ROOM_MB, `${grown.toFixed(1)} MiB more`);
    assert.equal(store.entries.size, 0);
  });
});
