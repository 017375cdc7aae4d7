import assert from "node:assert/strict";
import { waysTo, welcome } from "../../../commands/welcome";

const INSIDE = "http://secret.dev-apps.svc.cluster.local";
const OPEN = "http://198.18.1.10";
const HOST = "https://secret.dev.platform.test";

describe("what is said when a stack is up", () => {
  it("names the ways in from outside, and those from inside only where there are no others", () => {
    const hosts = { secret: HOST, tracker: "https://tracker.dev.platform.test" };
    const endpoints = { batch: INSIDE, secret: INSIDE, tracker: OPEN };
    assert.deepEqual(waysTo({ endpoints, edge: { hosts } }), [
      ["tracker", OPEN],
      ["secret", HOST],
      ["tracker", "https://tracker.dev.platform.test"],
      ["batch", INSIDE],
    ]);
    assert.deepEqual(waysTo({}), []);
  });

  it("offers what works from here: an open address, and a host by the edge's", () => {
    const edge = { address: "198.18.1.11", hosts: { secret: HOST } };
    const text = welcome("dev", { endpoints: { secret: INSIDE, tracker: OPEN }, edge });
    assert.match(text, /^ {2}curl http:\/\/198\.18\.1\.10$/m);
    assert.match(text, /curl --resolve secret\.dev\.platform\.test:443:198\.18\.1\.11 .* https:\/\/secret\.dev/);
    assert.doesNotMatch(welcome("dev", { endpoints: { secret: INSIDE } }), /curl/);
  });
});
