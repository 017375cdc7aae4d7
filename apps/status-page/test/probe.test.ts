import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { probe } from "../src/probe";
import type { Endpoint } from "../src/settings";
import { NAME, Scene, closedPort, endpoint } from "./scene";

const soon = { timeoutMs: 2000 };

describe("a probe", () => {
  const scene = new Scene();
  after(() => scene.strike());

  it("is up for 2xx, and for nothing else", async () => {
    let status = 200;
    const at = endpoint(await scene.serve((_, response) => response.writeHead(status).end()));
    assert.equal((await probe(at, soon)).up, true);
    for (status of [301, 404, 503]) {
      const { up, reason } = await probe(at, soon);
      assert.deepEqual([up, reason], [false, `answers ${status}`]);
    }
  });

  it("asks for the path, under the name of the URL, wherever it connects", async () => {
    let seen: unknown[] = [];
    const port = await scene.serve(({ url, headers }, response) => {
      seen = [url, headers.host];
      response.end();
    });
    const at = { ...endpoint(port), url: new URL("http://web.dev.example:8080/readyz?x=1") };
    assert.equal((await probe(at, soon)).up, true);
    assert.deepEqual(seen, ["/readyz?x=1", "web.dev.example:8080"]);
  });

  it("says in a few words what is in the way", async () => {
    const refused = await probe(endpoint(await closedPort()), soon);
    assert.deepEqual([refused.up, refused.reason], [false, "connection refused"]);
    const nameless = { ...endpoint(1), connect: { host: "nowhere.invalid.", port: 443 } };
    assert.match((await probe(nameless, soon)).reason ?? "", /^(no such address|its name cannot be resolved)$/);
    const broken = endpoint(await scene.serve(({ socket }) => socket.destroy()));
    assert.equal((await probe(broken, soon)).reason, "connection broken off");
  });

  it("waits no longer than it was told, for a connection that was taken too", async () => {
    const silent = endpoint(await scene.serve(() => undefined));
    const { up, reason, ms } = await probe(silent, { timeoutMs: 200 });
    assert.deepEqual([up, reason], [false, "no answer in 0.2 s"]);
    assert.ok(ms >= 190 && ms < 1500, `${ms} ms`);
  });

  describe("over TLS", () => {
    let at: Endpoint;
    let ca: string;
    before(async () => {
      const tls = scene.certificate();
      ca = tls.cert;
      const port = await scene.serve((_, response) => response.end(), tls);
      at = { ...endpoint(port), url: new URL(`https://${NAME}/readyz`) };
    });

    it("takes the certificate of the name from the authority that it trusts", async () => {
      assert.equal((await probe(at, { ...soon, ca })).up, true);
    });

    it("takes none of another authority, and none for another name", async () => {
      assert.equal((await probe(at, soon)).reason, "certificate of an unknown authority");
      const other = { ...at, url: new URL("https://other.dev.example/readyz") };
      assert.equal((await probe(other, { ...soon, ca })).reason, "certificate for another name");
    });
  });
});
