import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { Apache, apacheProgram, raw } from "./apache.mjs";

const { path, skip } = apacheProgram();

describe("Apache with this page", { skip }, () => {
  let apache;
  before(async () => (apache = await Apache.start(path, { STAGE: "qa & <more>" })));
  after(() => apache?.stop());

  const get = (place, options = {}) => fetch(apache.url + place, { redirect: "manual", ...options });
  /** As `fetch` would not send it. */
  const send = (method, place) =>
    new Promise((done, fail) => {
      const request = http.request(apache.url + place, { method, agent: false }, (response) => {
        let text = "";
        response.on("data", (data) => (text += data)).on("end", () => done({ status: response.statusCode, text }));
      });
      request.on("error", fail).end();
    });

  it("[001.1] says of which stage it is, without a browser's help, and takes no part of it for HTML", async () => {
    const response = await get("/");
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.match(text, /<h1>\s*Notes of\s+qa &amp; &lt;more&gt;\s*<\/h1>/);
    assert.doesNotMatch(text, /#echo/);
  });

  it("says so where nobody said the stage", async (test) => {
    const other = await Apache.start(path);
    test.after(() => other.stop());
    assert.match(await (await fetch(other.url)).text(), /<h1>\s*Notes of\s+no stage\s*<\/h1>/);
  });

  const types = {
    "/page.mjs": "text/javascript",
    "/api.mjs": "text/javascript",
    "/page.css": "text/css",
    "/icon.svg": "image/svg+xml",
  };
  for (const [file, type] of Object.entries(types))
    it(`serves ${file} as what it is`, async () => {
      const response = await get(file);
      assert.equal(response.status, 200);
      assert.ok(response.headers.get("content-type").startsWith(type), response.headers.get("content-type"));
      assert.equal(await response.text(), readFileSync(new URL(`../public${file}`, import.meta.url), "utf8"));
    });

  it("needs only what its policy lets a browser load", async () => {
    const text = await (await get("/")).text();
    for (const [, place] of text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      assert.doesNotMatch(place, /^(https?:)?\/\//);
      if (!place.startsWith("api/")) assert.equal((await get(`/${place}`)).status, 200, place);
    }
    assert.doesNotMatch(text, /<style|style="|<script(?![^>]* src=)/);
  });

  it("is alive and ready, and leads to the API's description", async () => {
    for (const place of ["/healthz", "/readyz"]) assert.equal(await (await get(place)).text(), "alive\n");
    const { status, headers } = await get("/docs");
    assert.deepEqual([status, headers.get("location")], [302, "/api/docs"]);
  });

  it("tells browsers to be careful, and nobody what it is, also where it refuses", async () => {
    for (const place of ["/", "/nowhere"]) {
      const { headers } = await get(place);
      assert.match(headers.get("content-security-policy"), /default-src 'none'/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("server"), "Apache");
    }
  });

  for (const place of [
    "/nowhere",
    "/.dockerignore",
    "/httpd.conf",
    "/%2e%2e/httpd.conf",
    "/..%2fhttpd.conf",
    "/index.html/more",
    "/%00",
  ])
    it(`has nothing at ${place}`, async () => {
      const { status, text } = await send("GET", place);
      assert.ok([400, 403, 404].includes(status), String(status));
      assert.doesNotMatch(text, /LoadModule|Apache/);
    });

  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND"])
    it(`takes no ${method}`, async () => {
      const { status, text } = await send(method, "/");
      assert.deepEqual([status, text], [405, "Allowed here: GET, HEAD.\n"]);
    });

  const requests = {
    400: [
      "this is no HTTP\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
      `GET / HTTP/1.1\r\nHost: x\r\nA: ${"x".repeat(9000)}\r\n\r\n`,
    ],
    405: ["BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
    408: ["GET / HTTP/1.1\r\nHost:"],
    413: ["GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n"],
    414: [`GET /${"x".repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  };
  for (const [status, all] of Object.entries(requests))
    for (const request of all)
      it(`answers ${JSON.stringify(request.slice(0, 40))} with ${status}`, async () => {
        assert.match(await raw(apache.port, request), new RegExp(`^HTTP/1\\.1 ${status} `));
      });

  it("has the memory that it had after ten thousand of them", async () => {
    const rudely = async (times) => {
      for (let i = 0; i < times; i += 4)
        await Promise.all([
          send("GET", `/${i}`),
          send("DELETE", `/?${i}`),
          raw(apache.port, requests[413][0]),
          raw(apache.port, requests[400][3]),
        ]);
    };
    await rudely(4000);
    const before = apache.memory();
    await rudely(10_000);
    assert.ok(apache.memory() - before < 2 ** 20, `${before} became ${apache.memory()}`);
    assert.equal((await get("/readyz")).status, 200);
  });

  it("ends what it began when it is told to stop", async () => {
    const other = await Apache.start(path, { STAGE: "dev" });
    const half = raw(other.port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", 1500);
    await sleep(500);
    assert.equal(await other.stop(), 0);
    assert.match(await half, /^HTTP\/1\.1 200 /);
  });
});
