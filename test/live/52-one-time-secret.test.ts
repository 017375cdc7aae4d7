import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type EdgeClient, type Reply, edgeClient } from "./edgeClient";
import { broughtUp, eventually, kubectl } from "./world";

const STACK = "dev";
const APP = "one-time-secret";
const READERS = 100;

describe("one-time secret: through the edge", function () {
  this.timeout(300_000);
  let client: EdgeClient;

  before(async () => {
    await broughtUp();
    client = await edgeClient(STACK, APP);
  });

  const ask = (...question: Parameters<EdgeClient["ask"]>): Promise<Reply> => client.ask(...question);

  const create = async (secret: string, more: object = {}): Promise<{ id: string; key: string }> => {
    const { status, text, body } = await ask("POST", "/api/v1/secrets", JSON.stringify({ secret, ...more }));
    assert.equal(status, 201, text);
    assert.match(String(body.link), new RegExp(`^https://${client.host.replaceAll(".", "\\.")}/s/`));
    return body as { id: string; key: string };
  };
  const reveal = ({ id, key }: { id: string; key: string }, passphrase?: string): Promise<Reply> =>
    ask("POST", `/api/v1/secrets/${id}/reveal`, JSON.stringify({ key, passphrase }));

  it("[000.15] shows a secret once, and its page as often as one likes", async () => {
    const made = await create("hush 🤫");
    for (let look = 0; look < 3; look++) assert.equal((await ask("GET", `/s/${made.id}`)).status, 200);
    assert.equal((await reveal(made)).body.secret, "hush 🤫");
    assert.equal((await reveal(made)).status, 410);
  });

  it("[000.15] shows it to one of a hundred who ask at once", async () => {
    const made = await create("for one");
    const replies = await Promise.all(Array.from({ length: READERS }, () => reveal(made)));
    const count = (status: number): number => replies.filter((reply) => reply.status === status).length;
    assert.deepEqual([count(200), count(410)], [1, READERS - 1]);
  });

  it("takes a passphrase, and forgives a wrong one", async () => {
    const made = await create("locked", { passphrase: "open sesame" });
    assert.equal((await reveal(made, "open barley")).status, 403);
    assert.equal((await reveal(made, "open sesame")).body.secret, "locked");
  });

  it("forgets what has expired", async () => {
    const made = await create("soon gone", { ttl: 1 });
    await sleep(2000);
    const { status, text } = await reveal(made);
    assert.equal(status, 410, text);
    assert.match(text, /"code":"expired"/);
  });

  it("[000.13] keeps what waits when Redis and the application are deleted, and shows Redis nothing of it", async () => {
    const secret = `plain-${Math.random().toString(36).slice(2)}`;
    const made = await create(secret);
    const search = `grep -rc -e ${secret} -e ${made.key} -e ${made.id} /data/appendonlydir; ls /data/appendonlydir`;
    const found = await kubectl(["exec", "-n", `${STACK}-data`, "redis-0", "-c", "redis", "--", "sh", "-c", search]);
    assert.match(found, /aof/);
    assert.doesNotMatch(found, /:[1-9]/);
    await kubectl(["delete", "pod", "-n", `${STACK}-data`, "redis-0"]);
    await kubectl(["delete", "pods", "-n", `${STACK}-apps`, "-l", `app.kubernetes.io/name=${APP}`]);
    await eventually(async () => assert.equal((await reveal(made)).body.secret, secret), 90_000);
  });

  const refusals: [string, () => Promise<Reply>, number][] = [
    ["malformed JSON", () => ask("POST", "/api/v1/secrets", "{"), 400],
    ["another kind of content", () => ask("POST", "/api/v1/secrets", "secret=x", "text/plain"), 415],
    ["a missing field", () => ask("POST", "/api/v1/secrets", "{}"), 422],
    ["an unknown field", () => ask("POST", "/api/v1/secrets", '{"secret":"x","colour":"red"}'), 422],
    ["too much", () => ask("POST", "/api/v1/secrets", JSON.stringify({ secret: "x".repeat(200_000) })), 413],
    ["another method", () => ask("DELETE", "/api/v1/secrets"), 405],
    ["an unknown path", () => ask("GET", "/api/v2"), 404],
    ["an unknown secret", () => reveal({ id: "A".repeat(22), key: "A".repeat(43) }), 404],
  ];
  for (const [title, request, status] of refusals)
    it(`refuses ${title} with ${status} and says why`, async () => {
      const reply = await request();
      assert.equal(reply.status, status, reply.text);
      assert.match(reply.text, /"message":"|<html/);
      assert.doesNotMatch(reply.text, /\bat .*\.js:\d+|node_modules/);
    });
});
