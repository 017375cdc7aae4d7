import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createServer } from "../src/server.js";

const server = createServer();
let origin = "";

before(async () => {
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

test("greets", async () => {
  const response = await fetch(origin);
  assert.equal(response.status, 200);
  assert.match(await response.text(), /hello from __NAME__/);
});

test("says that it is alive and ready", async () => {
  for (const path of ["/healthz", "/readyz"]) assert.equal((await fetch(origin + path)).status, 200);
});

test("answers what it does not know with the status for it", async () => {
  assert.equal((await fetch(`${origin}/elsewhere`)).status, 404);
  assert.equal((await fetch(origin, { method: "POST", body: "{}" })).status, 405);
});
