import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultOf, neverRan } from "../src/visits/fault";
import { isVisit } from "../src/visits/visitor";

describe("a visit", () => {
  const cases: [string, Parameters<typeof isVisit>[0], boolean][] = [
    ["a browser opening the page", { method: "GET", url: "/", headers: { "sec-fetch-dest": "document" } }, true],
    ["a plain client", { method: "GET", url: "/?from=mail", headers: {} }, true],
    ["a HEAD request", { method: "HEAD", url: "/", headers: {} }, false],
    ["a POST request", { method: "POST", url: "/", headers: {} }, false],
    ["a prefetch", { method: "GET", url: "/", headers: { "sec-purpose": "prefetch;prerender" } }, false],
    ["an older prefetch", { method: "GET", url: "/", headers: { purpose: "prefetch" } }, false],
    ["a tab preview", { method: "GET", url: "/", headers: { "x-purpose": "preview" } }, false],
    ["the page's data alone", { method: "GET", url: "/_next/data/x/index.json", headers: {} }, false],
  ];
  for (const [name, request, expected] of cases) {
    it(`${expected ? "is" : "is not"} ${name}`, () => assert.equal(isVisit(request), expected));
  }
});

describe("a fault", () => {
  const cases: [unknown, string][] = [
    [
      new Error("WRONGPASS invalid username-password pair or user is disabled."),
      "Redis refuses the user or password (WRONGPASS)",
    ],
    [
      new Error("NOAUTH HELLO must be called with the client already authenticated"),
      "Redis refuses the user or password (NOAUTH)",
    ],
    [new Error("NOPERM this user has no permissions"), "the Redis user may not run this command (NOPERM)"],
    [new Error("LOADING Redis is loading the dataset in memory"), "Redis is still loading its data"],
    [new Error("READONLY You can't write against a read only replica."), "this Redis is a read-only replica"],
    [new Error("OOM command not allowed"), "Redis takes no writes (OOM)"],
    [new Error("Command timed out"), "Redis does not answer in time"],
    [Object.assign(new Error("connect ETIMEDOUT"), { code: "ETIMEDOUT" }), "Redis does not answer in time"],
    [
      Object.assign(new Error("connect ECONNREFUSED 10.1.2.3:6379"), { code: "ECONNREFUSED" }),
      "Redis cannot be reached (ECONNREFUSED)",
    ],
    [
      Object.assign(new Error("self-signed"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }),
      "the certificate of Redis is not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)",
    ],
    [
      Object.assign(new Error("Failed to refresh slots cache."), { lastNodeError: new Error("WRONGPASS invalid") }),
      "Redis refuses the user or password (WRONGPASS)",
    ],
    [
      new Error("All sentinels are unreachable. Retrying from scratch after 10ms. Last error: WRONGPASS invalid pair"),
      "Redis refuses the user or password (WRONGPASS)",
    ],
    [new Error("All sentinels are unreachable and retry is disabled."), "no sentinel of Redis answers"],
    [new Error("NOREPLICAS Not enough good"), "Redis takes no writes until a replica follows (NOREPLICAS)"],
    [new Error("CLUSTERDOWN The cluster is down"), "this part of the Redis cluster is down (CLUSTERDOWN)"],
    [new Error("ERR value is not an integer or out of range"), "Redis answers with an error (ERR)"],
    [undefined, "Redis answers with an error"],
  ];
  for (const [error, expected] of cases) {
    it(expected, () => assert.equal(faultOf(error), expected));
  }

  it("is worth another try only where Redis certainly did nothing", () => {
    const never = ["READONLY You can't", "NOREPLICAS Not enough", "CLUSTERDOWN Hash slot", "Stream isn't writeable"];
    assert.deepEqual(
      never.filter((message) => !neverRan(new Error(message))),
      [],
    );
    const perhaps = ["Connection is closed.", "Command timed out", "ERR value", "NOPERM this user"];
    assert.deepEqual(
      perhaps.filter((message) => neverRan(new Error(message))),
      [],
    );
  });
});
