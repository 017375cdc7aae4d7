import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { page, summary } from "../src/page";
import { type Report, report } from "../src/report";
import { WebServer } from "../src/server";
import { Watch } from "../src/watch";
import { Scene, closedPort, endpoint, eventually } from "./scene";

const pace = { intervalMs: 60_000, timeoutMs: 1000 };

describe("the server", () => {
  const scene = new Scene();
  let watch: Watch;
  let server: WebServer;
  let base = "";
  before(async () => {
    const port = await scene.serve((_, response) => response.end());
    const evil = {
      ...endpoint(port, `<script>alert("x")</script>`),
      url: new URL("http://web.dev.example:8443/readyz"),
    };
    watch = new Watch({ ...pace, endpoints: [evil, endpoint(await closedPort(), "gone", "qa")] });
    server = new WebServer(watch);
    base = `http://127.0.0.1:${await server.listen(0, "127.0.0.1")}`;
  });
  after(async () => {
    await watch.stop();
    await server.stop(0);
    scene.strike();
  });

  it("is not ready, and shows nothing, before it has asked everybody once", async () => {
    for (const path of ["/readyz", "/", "/api/status"]) assert.equal((await fetch(base + path)).status, 503, path);
    for (const path of ["/healthz", "/metrics"]) assert.equal((await fetch(base + path)).status, 200, path);
    await watch.start();
    await eventually("it is ready", async () => (await fetch(`${base}/readyz`)).status === 200);
  });

  it("tells programs all that it knows", async () => {
    const told = (await (await fetch(`${base}/api/status`)).json()) as Report;
    assert.deepEqual([told.intervalSeconds, told.counts], [60, { up: 1, down: 0, unseen: 1 }]);
    assert.deepEqual(
      told.environments.map(({ name, endpoints }) => [name, endpoints.map(({ state, url }) => [state, url])]),
      [
        ["dev", [["up", "http://web.dev.example:8443"]]],
        ["qa", [["unseen", "http://127.0.0.1"]]],
      ],
    );
    const [web, gone] = told.environments.flatMap(({ endpoints }) => endpoints);
    assert.deepEqual(web?.uptime, { "24h": 100, "7d": 100, "30d": 100 });
    assert.deepEqual([gone?.uptime["24h"], gone?.reason], [null, "connection refused"]);
    for (const at of [told.time, web?.since, web?.checked, web?.recent[0]?.at, web?.changes[0]?.at])
      assert.ok(Math.abs(Date.now() - Date.parse(at ?? "")) < 30_000, at);
  });

  it("shows people a page that loads nothing from elsewhere, runs nothing, and takes names as text", async () => {
    const response = await fetch(base);
    const html = await response.text();
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|script-src|\*/);
    assert.doesNotMatch(html, /<script|style=| on\w+=/);
    assert.ok(html.includes("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"));
    const loaded = [...html.matchAll(/(?:src|<link[^>]* href)="([^"]+)"/g)].map(([, place]) => place);
    assert.deepEqual(loaded, ["/style.css", "data:,"]);
    assert.equal((await fetch(`${base}/style.css`)).headers.get("content-type"), "text/css; charset=utf-8");
  });

  it("refreshes itself once in an interval, until somebody pauses it", async () => {
    const html = async (path: string): Promise<string> => (await fetch(base + path)).text();
    assert.match(await html("/"), /<meta http-equiv="refresh" content="60">/);
    assert.match(await html("/"), /<a href="\/\?paused">Pause/);
    assert.doesNotMatch(await html("/?paused"), /http-equiv="refresh"/);
    assert.match(await html("/?paused"), /<a href="\/">Go on/);
  });

  it("tells its metrics, with names as text", async () => {
    const text = await (await fetch(`${base}/metrics`)).text();
    assert.ok(text.includes('status_endpoint_up{environment="qa",endpoint="gone"} 0\n'));
    assert.ok(text.includes('status_endpoint_up{environment="dev",endpoint="<script>alert(\\"x\\")</script>"} 1\n'));
    assert.match(text, /^status_rounds_total 1$/m);
    assert.match(text, /^# TYPE status_endpoint_seen gauge$/m);
  });

  const refusals: [string, string, number, string][] = [
    ["GET", "/nothing", 404, "not_found"],
    ["GET", "/constructor", 404, "not_found"],
    ["GET", "/..%2f", 404, "not_found"],
    ["POST", "/", 405, "method_not_allowed"],
    ["DELETE", "/api/status", 405, "method_not_allowed"],
  ];
  for (const [method, path, status, code] of refusals)
    it(`refuses ${method} ${path} with ${status}, and says why`, async () => {
      const response = await fetch(base + path, { method });
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      assert.deepEqual([response.status, error.code], [status, code]);
      assert.equal(response.headers.get("allow"), status === 405 ? "GET, HEAD" : null);
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    });

  it("answers HEAD as GET, without the body", async () => {
    const response = await fetch(base, { method: "HEAD" });
    assert.deepEqual([response.status, await response.text()], [200, ""]);
    assert.ok(Number(response.headers.get("content-length")) > 500);
  });
});

describe("the page", () => {
  const scene = new Scene();
  let statuses: number[] = [];
  let watch: Watch;
  before(async () => {
    const ports = await Promise.all(
      [0, 1].map((index) => scene.serve((_, response) => response.writeHead(statuses[index] ?? 500).end())),
    );
    watch = new Watch({ ...pace, endpoints: ports.map((port, index) => endpoint(port, `web${index}`)) });
  });
  after(() => scene.strike());
  const now = (): Report => report(watch, Date.now());
  const rounds = async (...given: number[][]): Promise<void> => {
    for (statuses of given) await watch.ask();
  };

  it("says in one sentence what matters most", async () => {
    await rounds([500, 500]);
    assert.equal(summary(now()), "Nothing has answered yet");
    await rounds([200, 500]);
    assert.equal(summary(now()), "1 of 2 endpoints up, 1 never answered");
    await rounds([200, 200]);
    assert.equal(summary(now()), "All 2 endpoints up");
    await rounds([503, 200]);
    assert.equal(summary(now()), "1 of 2 endpoints down");
    assert.match(page(now(), false), /<title>1 of 2 endpoints down · Status<\/title>/);
  });

  it("says so where nothing is watched", async () => {
    const idle = new Watch({ ...pace, endpoints: [] });
    await idle.ask();
    const empty = report(idle, Date.now());
    assert.equal(summary(empty), "Nothing is watched");
    assert.match(page(empty, false), /Nothing has changed since the watch began/);
  });

  it("tells what failed by height and words, not by colour alone", () => {
    const html = page(now(), false);
    assert.match(html, /aria-label="web0, the last 3 answers: 1 failed"/);
    assert.match(html, /<rect class="down"[^>]* y="0"[^>]* height="20"><title>[\d:]+ failed/);
    assert.match(html, /<rect class="up"[^>]* y="8"[^>]* height="12"><title>[\d:]+ \d+ ms/);
    assert.match(html, /Down<\/span> answers 503/);
  });

  it("does not round a failure away", async () => {
    await rounds(...Array.from({ length: 40 }, () => [200, 200]));
    const seen = now().environments[0]?.endpoints[0] as Report["environments"][0]["endpoints"][0];
    const { uptime, recent } = seen;
    assert.equal(uptime["24h"], Math.floor((42 / 43) * 100_000) / 1000);
    assert.equal(recent.length, 43);
    const almost = {
      ...now(),
      environments: [{ name: "dev", endpoints: [{ ...seen, uptime: { ...uptime, "30d": 99.999 } }] }],
    };
    assert.match(page(almost, false), /<dt>30d<\/dt><dd>99\.99 %<\/dd>/);
  });
});
