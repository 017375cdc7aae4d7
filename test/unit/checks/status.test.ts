import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { watched } from "../../../checks/status";
import { ask } from "../../../checks/web";
import { FakeStand, outputsOf } from "./fakeStand";

const STATUS = { "platform:status": { source: "apps/status-page", environments: ["dev", "qa"] } };
const TIME = "2030-01-01T00:00:30.000Z";

describe("the check of the status page", () => {
  let server: http.Server;
  let port = 0;
  let answer: { status: number; body: unknown };
  let stand: FakeStand;
  const web = { name: "web", url: "http://web.dev.example", state: "up", checked: "2030-01-01T00:00:20.000Z" };
  const told = (...endpoints: object[]): object => ({
    time: TIME,
    intervalSeconds: 15,
    environments: [
      { name: "qa", endpoints: [{ ...web, state: "down" }] },
      { name: "dev", endpoints },
    ],
  });
  const make = (hosts: object, change: object = STATUS): FakeStand => {
    const edge = { address: "127.0.0.1", certificateAuthority: "", hosts };
    return FakeStand.make([["stack output", outputsOf({ edge })]], change);
  };

  before(async () => {
    server = http.createServer(({ headers, url }, response) => {
      const known = headers.host === `status.dev.example:${port}` && url === "/api/status";
      response.writeHead(known ? answer.status : 404).end(JSON.stringify(answer.body));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    ({ port } = server.address() as AddressInfo);
  });
  after(() => server.close());
  beforeEach(() => {
    answer = { status: 200, body: told(web) };
    stand = make({ web: web.url, "status-page": `http://status.dev.example:${port}` });
  });
  afterEach(() => stand.remove());

  it("passes where every application with a host is up, whatever other environments are", async () => {
    assert.equal(await watched(stand, 0), "1 endpoints of dev up, 2 watched in all");
  });

  const wrong: [string, () => unknown, RegExp][] = [
    ["is not watched", () => told(), /differs from what runs:\nweb is not watched/],
    ["is down", () => told({ ...web, state: "down", reason: "answers 503" }), /web is down: answers 503/],
    ["never answered", () => told({ ...web, state: "unseen" }), /web is unseen: no reason given/],
    [
      "is watched elsewhere",
      () => told({ ...web, url: "http://old.example" }),
      /web is watched at http:\/\/old\.example/,
    ],
    ["was not asked of late", () => told({ ...web, checked: "2029-12-31T23:59:50.000Z" }), /web was asked 40 s ago/],
  ];
  for (const [title, body, reason] of wrong)
    it(`fails where one ${title}`, async () => {
      answer = { status: 200, body: body() };
      await assert.rejects(watched(stand, 0), reason);
    });

  it("waits for what comes up within an interval", async () => {
    answer = { status: 200, body: told({ ...web, state: "unseen" }) };
    setTimeout(() => (answer = { status: 200, body: told(web) }), 300);
    assert.match(await watched(stand, 5000), /^1 endpoints/);
  });

  it("fails where the page does not answer, and where there is nothing to watch", async () => {
    answer = { status: 503, body: "starting" };
    await assert.rejects(watched(stand, 0), /\/api\/status answers 503: "starting"/);
    const nothing = make({ "status-page": `http://status.dev.example:${port}` });
    answer = { status: 200, body: told() };
    await assert.rejects(watched(nothing, 0), /found no application with a host/);
    nothing.remove();
  });

  it("has nothing to look at where there is no page, or one for other environments", async () => {
    const none = make({}, {});
    await assert.rejects(watched(none, 0), /^Error: dev has no status page \(platform:status\)/);
    none.remove();
    const others = make({}, { "platform:status": { source: "apps/status-page", environments: ["qa"] } });
    await assert.rejects(watched(others, 0), /the status page of dev watches qa only/);
    others.remove();
  });

  it("asks under the name of the URL where it connects elsewhere", async () => {
    const { status } = await ask(`http://status.dev.example:${port}/api/status`, { address: "127.0.0.1" });
    assert.equal(status, 200);
    assert.equal((await ask(`http://127.0.0.1:${port}/api/status`)).status, 404);
  });
});
