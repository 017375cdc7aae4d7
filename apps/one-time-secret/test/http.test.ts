import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { Cipher } from "../src/cipher";
import { WebServer } from "../src/http/server";
import { Secrets } from "../src/secrets";
import { MemoryStore } from "./memoryStore";

const KEY = "0123456789abcdef0123456789abcdef";
const READER = "0123456789abcdef";

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, string> & { error?: Record<string, string | number> };
}

describe("the service", () => {
  const store = new MemoryStore();
  const server = new WebServer(new Secrets(store, new Cipher([KEY])), store);
  let base: string;

  before(async () => (base = `http://127.0.0.1:${await server.listen(0, "127.0.0.1")}`));
  beforeEach(() => {
    store.down = undefined;
    store.unconfirmed = 0;
  });
  after(() => server.stop(0, 1000));

  const send = (method: string, path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${base}${path}`, { method, ...init });
  async function ask(
    method: string,
    path: string,
    fields?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const json: Record<string, string> = fields === undefined ? {} : { "Content-Type": "application/json" };
    const body = fields === undefined || typeof fields === "string" ? (fields as string) : JSON.stringify(fields);
    const response = await send(method, path, { headers: { ...json, ...headers }, body });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text ? (JSON.parse(text) as Answer["body"]) : {},
    };
  }
  const create = (fields: unknown = { secret: "hush" }, headers = {}): Promise<Answer> =>
    ask("POST", "/api/v1/secrets", fields, headers);
  const reveal = (id: string | undefined, fields: unknown): Promise<Answer> =>
    ask("POST", `/api/v1/secrets/${id}/reveal`, fields);

  describe("from the making of a link to its end", () => {
    it("gives a link, tells how things stand, and gives the secret once", async () => {
      const made = await create({ secret: "hush", ttl: 3600 });
      assert.equal(made.status, 201);
      const { link, id, key, expires } = made.body;
      assert.equal(link, `${base}/s/${id}#${key}`);
      const left = Date.parse(expires ?? "") - Date.now();
      assert.ok(left > 3_595_000 && left <= 3_600_000, expires);

      const look = await ask("GET", `/api/v1/secrets/${id}`);
      assert.deepEqual([look.status, look.body], [200, { passphrase: false, expires }]);
      const first = await reveal(id, { key });
      assert.deepEqual([first.status, first.body], [200, { secret: "hush" }]);

      const again = await reveal(id, { key });
      assert.deepEqual([again.status, again.body.error?.code], [410, "used"]);
      assert.ok(Math.abs(Date.parse(String(again.body.error?.at)) - Date.now()) < 5000);
      assert.equal((await ask("GET", `/api/v1/secrets/${id}`)).status, 410);
    });

    it("gives it to one of a hundred who ask at once", async () => {
      const { id, key } = (await create()).body;
      const all = await Promise.all(Array.from({ length: 100 }, () => reveal(id, { key })));
      const statuses = all.map(({ status }) => status);
      assert.deepEqual([statuses.filter((s) => s === 200).length, statuses.filter((s) => s === 410).length], [1, 99]);
    });

    it("asks for the passphrase, counts wrong ones and ends at the fifth", async () => {
      const { id, key } = (await create({ secret: "hush", passphrase: "right" })).body;
      assert.equal((await ask("GET", `/api/v1/secrets/${id}`)).body.passphrase, true);
      const without = await reveal(id, { key });
      assert.deepEqual(
        [without.status, without.body.error?.code, without.body.error?.field],
        [422, "passphrase_required", "passphrase"],
      );
      for (const attemptsLeft of [4, 3, 2, 1]) {
        const wrong = await reveal(id, { key, passphrase: `wrong ${attemptsLeft}` });
        assert.deepEqual(
          [wrong.status, wrong.body.error?.code, wrong.body.error?.attemptsLeft],
          [403, "wrong_passphrase", attemptsLeft],
        );
      }
      const last = await reveal(id, { key, passphrase: "wrong 0" });
      assert.deepEqual([last.status, last.body.error?.code], [410, "destroyed"]);
      assert.equal((await reveal(id, { key, passphrase: "right" })).status, 410);
    });

    it("opens with the right passphrase after a wrong one", async () => {
      const { id, key } = (await create({ secret: "hush", passphrase: "right" })).body;
      await reveal(id, { key, passphrase: "wrong" });
      assert.deepEqual((await reveal(id, { key, passphrase: "right" })).body, { secret: "hush" });
    });

    it("says what has expired, and what never was", async () => {
      const { id, key } = (await create({ secret: "hush", ttl: 1 })).body;
      store.pass(1001);
      for (const answer of [await reveal(id, { key }), await ask("GET", `/api/v1/secrets/${id}`)])
        assert.deepEqual([answer.status, answer.body.error?.code], [410, "expired"]);
      for (const unknown of ["AAAAAAAAAAAAAAAAAAAAAA", "short", "%00", "..%2f"]) {
        const answer = await reveal(unknown, { key });
        assert.deepEqual([answer.status, answer.body.error?.code], [404, "not_found"], unknown);
      }
      const other = (await create()).body;
      assert.equal((await reveal(other.id, { key })).status, 404, "with the key of another");
    });

    it("gives the same reader the same answer again", async () => {
      const { id, key } = (await create()).body;
      for (let i = 0; i < 2; i++) assert.equal((await reveal(id, { key, reader: READER })).status, 200);
      assert.equal((await reveal(id, { key })).status, 410);
    });

    it("names the link as its visitors see it behind a proxy", async () => {
      const { link } = (await create(undefined, { "X-Forwarded-Proto": "https" })).body;
      assert.match(link ?? "", /^https:\/\/127\.0\.0\.1/);
      const { link: odd } = (await create(undefined, { "X-Forwarded-Proto": "javascript" })).body;
      assert.match(odd ?? "", /^http:\/\/127\.0\.0\.1/);
    });
  });

  describe("while Redis is away", () => {
    it("says so, with when to come again, and is alive but not ready", async () => {
      const { id, key } = (await create()).body;
      store.down = "Redis cannot be reached (ECONNREFUSED)";
      for (const answer of [await create(), await reveal(id, { key }), await ask("GET", `/api/v1/secrets/${id}`)]) {
        assert.deepEqual([answer.status, answer.body.error?.code], [503, "unavailable"]);
        assert.equal(answer.headers.get("retry-after"), "2");
      }
      assert.equal((await ask("GET", "/healthz")).status, 200);
      const ready = await ask("GET", "/readyz");
      assert.deepEqual([ready.status, ready.body.reason], [503, store.down]);
      assert.match(await (await send("GET", "/metrics")).text(), /^one_time_secret_redis_up 0$/m);
      store.down = undefined;
      assert.equal((await ask("GET", "/readyz")).status, 200);
      assert.equal((await reveal(id, { key })).status, 200);
    });

    it("names the reader under which an unfinished reading can be taken up", async () => {
      const { id, key } = (await create()).body;
      store.unconfirmed = 1;
      const broken = await reveal(id, { key });
      assert.equal(broken.status, 503);
      assert.deepEqual((await reveal(id, { key, reader: broken.body.error?.reader })).body, { secret: "hush" });
    });

    it("does not acknowledge what is not safe", async () => {
      store.unconfirmed = 1;
      assert.equal((await create()).status, 503);
    });
  });

  describe("refuses", () => {
    const long = (length: number): string => "x".repeat(length);
    const fields: [string, unknown, string][] = [
      ["no secret", {}, "secret"],
      ["an empty secret", { secret: "" }, "secret"],
      ["a secret that is no text", { secret: 1 }, "secret"],
      ["a secret that is null", { secret: null }, "secret"],
      ["too long a secret", { secret: long(65_537) }, "secret"],
      ["too long a secret in bytes", { secret: "€".repeat(21_846) }, "secret"],
      ["half a character", { secret: "\ud800" }, "secret"],
      ["an empty passphrase", { secret: "s", passphrase: "" }, "passphrase"],
      ["too long a passphrase", { secret: "s", passphrase: long(257) }, "passphrase"],
      ["a ttl of nothing", { secret: "s", ttl: 0 }, "ttl"],
      ["too long a ttl", { secret: "s", ttl: 2_592_001 }, "ttl"],
      ["a ttl in words", { secret: "s", ttl: "3600" }, "ttl"],
      ["a broken ttl", { secret: "s", ttl: 1.5 }, "ttl"],
      ["a misspelt field", { secret: "s", passfrase: "p" }, "passfrase"],
      ["a field with a meaning to JavaScript", '{"secret":"s","__proto__":{}}', "__proto__"],
    ];
    for (const [what, body, field] of fields) {
      it(what, async () => {
        const { status, body: answer } = await create(body);
        assert.deepEqual([status, answer.error?.code, answer.error?.field], [422, "invalid_field", field]);
        assert.ok(String(answer.error?.message).length > 10);
      });
    }

    it("no less than it allows", async () => {
      for (const body of [
        { secret: long(65_536) },
        { secret: "\n".repeat(60_000) },
        { secret: "s", ttl: 2_592_000, passphrase: "p" },
      ])
        assert.equal((await create(body)).status, 201);
    });

    const readings: [string, unknown, string][] = [
      ["no key", {}, "key"],
      ["half a key", { key: "short" }, "key"],
      ["a key of other characters", { key: "!".repeat(43) }, "key"],
      ["a reader that can be guessed", { key: "k".repeat(43), reader: "me" }, "reader"],
      ["a reader of other characters", { key: "k".repeat(43), reader: "!".repeat(16) }, "reader"],
      ["an empty passphrase for reading", { key: "k".repeat(43), passphrase: "" }, "passphrase"],
    ];
    for (const [what, body, field] of readings) {
      it(what, async () => {
        const { status, body: answer } = await reveal("AAAAAAAAAAAAAAAAAAAAAA", body);
        assert.deepEqual([status, answer.error?.field], [422, field]);
      });
    }

    const bodies = ["", "{", "hush", "[]", "null", '"text"', '{"secret":"hush"', "[".repeat(100_000)];
    for (const body of bodies) {
      it(`a body of ${JSON.stringify(body.slice(0, 20))} without quoting it`, async () => {
        const answer = await create(body);
        assert.deepEqual([answer.status, answer.body.error?.code], [400, "malformed_json"]);
        assert.ok(!JSON.stringify(answer.body).includes("hush"));
      });
    }

    it("what is not UTF-8", async () => {
      const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
      const response = await send("POST", "/api/v1/secrets", { headers: { "Content-Type": "application/json" }, body });
      assert.equal(response.status, 400);
    });

    it("other types of body", async () => {
      for (const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
        "application/jsonp",
      ]) {
        const { status, headers, body } = await create({ secret: "s" }, { "Content-Type": type });
        assert.deepEqual([status, body.error?.code], [415, "not_json"], type);
        assert.equal(headers.get("accept"), "application/json");
      }
      assert.equal((await create({ secret: "s" }, { "Content-Encoding": "gzip" })).status, 415);
      assert.equal((await create({ secret: "s" }, { "Content-Type": "application/json; charset=UTF-8" })).status, 201);
    });

    it("too large a body, whether it says so before or not", async () => {
      const body = JSON.stringify({ secret: long(140_000) });
      const said = await create(body);
      assert.deepEqual([said.status, said.body.error?.code], [413, "too_large"]);
      const stream = new ReadableStream({
        start(controller): void {
          for (let i = 0; i < 40; i++) controller.enqueue(Buffer.alloc(10_000, "x"));
          controller.close();
        },
      });
      const headers = { "Content-Type": "application/json" };
      const unsaid = await send("POST", "/api/v1/secrets", { headers, body: stream, duplex: "half" } as RequestInit);
      assert.equal(unsaid.status, 413);
    });

    it("other methods, naming those it takes", async () => {
      const cases: [string, string, string][] = [
        ["GET", "/api/v1/secrets", "POST"],
        ["DELETE", "/api/v1/secrets/AAAAAAAAAAAAAAAAAAAAAA", "GET, HEAD"],
        ["GET", "/api/v1/secrets/AAAAAAAAAAAAAAAAAAAAAA/reveal", "POST"],
        ["POST", "/", "GET, HEAD"],
        ["OPTIONS", "/api/v1/secrets", "POST"],
        ["PUT", "/healthz", "GET, HEAD"],
      ];
      for (const [method, path, allow] of cases) {
        const answer = await ask(method, path);
        assert.deepEqual(
          [answer.status, answer.headers.get("allow"), answer.body.error?.code],
          [405, allow, "method_not_allowed"],
          path,
        );
      }
    });

    it("paths that there are not, as JSON for programs and as a page for people", async () => {
      for (const path of [
        "/nothing",
        "/api/v1/secrets/",
        "/api/v2/secrets",
        "/s/short",
        "/assets/../package.json",
        "/assets/%2e%2e/package.json",
      ]) {
        const answer = await ask("GET", path);
        assert.deepEqual([answer.status, answer.body.error?.code], [404, "not_found"], path);
        const page = await send("GET", path, { headers: { Accept: "text/html,*/*" } });
        assert.deepEqual([page.status, page.headers.get("content-type")], [404, "text/html; charset=utf-8"]);
      }
    });
  });

  describe("its pages", () => {
    const HEADERS = {
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    };

    it("come with headers that keep a link where it belongs, as everything does", async () => {
      for (const path of [
        "/",
        "/s/AAAAAAAAAAAAAAAAAAAAAA",
        "/assets/app.css",
        "/nothing",
        "/api/v1/secrets",
        "/healthz",
      ]) {
        const { headers } = await send("GET", path);
        for (const [name, value] of Object.entries(HEADERS))
          assert.equal(headers.get(name), value, `${name} of ${path}`);
        const policy = headers.get("content-security-policy") ?? "";
        assert.match(policy, /default-src 'none'; script-src 'self';/);
        assert.doesNotMatch(policy, /unsafe/);
      }
    });

    it("can be looked at by programs without using up the secret", async () => {
      const { id, key } = (await create()).body;
      for (const method of ["GET", "HEAD", "GET"]) assert.equal((await send(method, `/s/${id}`)).status, 200);
      assert.equal((await reveal(id, { key })).status, 200);
    });

    it("answer HEAD as GET without the body", async () => {
      const [head, get] = [await send("HEAD", "/"), await send("GET", "/")];
      assert.equal(head.headers.get("content-length"), get.headers.get("content-length"));
      assert.equal(await head.text(), "");
    });
  });

  it("counts what it does, by names and never by links", async () => {
    const { id, key } = (await create()).body;
    await reveal(id, { key });
    await reveal(id, { key });
    const response = await send("GET", "/metrics");
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    const text = await response.text();
    for (const line of [
      /^http_requests_total\{route="create",method="POST",code="201"\} \d+$/m,
      /^one_time_secret_created_total \d+$/m,
      /^one_time_secret_revealed_total \d+$/m,
      /^one_time_secret_refused_total\{reason="used"\} \d+$/m,
      /^one_time_secret_redis_up 1$/m,
      /^process_resident_memory_bytes \d+$/m,
    ])
      assert.match(text, line);
    assert.ok(!text.includes(String(id)));
    for (const line of text.trim().split("\n"))
      assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [\d.e+]+)$/);
  });
});
