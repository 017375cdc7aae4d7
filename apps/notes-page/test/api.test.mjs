import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { ask, keep, latest, trouble } from "../public/api.mjs";

const real = globalThis.fetch;
const pause = () => Promise.resolve();

/** The backend's answers, one after the other; of what was asked, all. */
function answering(...answers) {
  const asked = [];
  globalThis.fetch = (path, init) => {
    asked.push({ path, ...init });
    const next = answers.length > 1 ? answers.shift() : answers[0];
    if (next instanceof Error) return Promise.reject(next);
    const [status, body] = next;
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  };
  return asked;
}

describe("the page's way to its backend", () => {
  afterEach(() => (globalThis.fetch = real));

  it("keeps a note under one id, however often it must be sent", async () => {
    const asked = answering([503, {}], new Error("no network"), [201, { text: "a" }]);
    let waited = 0;
    const answer = await keep("a", { pause, waiting: () => waited++ });
    assert.deepEqual([answer.status, waited, asked.length], [201, 2, 3]);
    const bodies = asked.map(({ body }) => JSON.parse(body));
    assert.equal(bodies[0].text, "a");
    assert.match(bodies[0].id, /^[0-9a-f-]{36}$/);
    assert.deepEqual(bodies[1], bodies[0]);
    assert.deepEqual(bodies[2], bodies[0]);
    assert.deepEqual(
      [asked[0].method, asked[0].path, asked[0].headers["Content-Type"]],
      ["POST", "/api/notes", "application/json"],
    );
  });

  it("does not repeat what was refused", async () => {
    const asked = answering([422, { error: { message: "Too long." } }]);
    const answer = await keep("x", { pause });
    assert.deepEqual([asked.length, trouble(answer)], [1, "Too long."]);
  });

  it("gives up in the end, and says so", async () => {
    const asked = answering(new Error("no network"));
    const answer = await latest({ pause, tries: 3 });
    assert.deepEqual([asked.length, answer.status], [3, 0]);
    assert.match(trouble(answer), /cannot be reached/);
  });

  it("takes a proxy's page for no answer", async () => {
    globalThis.fetch = () => Promise.resolve(new Response("<html>", { status: 200 }));
    assert.equal((await ask("GET", "/api/notes", undefined, { pause, tries: 1 })).status, 0);
  });

  it("has nothing to say of what went well", () => {
    assert.equal(trouble({ status: 200, body: {} }), "");
  });
});
