import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { settings } from "../src/settings";
import { Scene } from "./scene";

const WEB = { environment: "dev", name: "web", url: "https://web.dev.example/readyz" };
const given = (...endpoints: unknown[]): string => JSON.stringify(endpoints);

describe("the settings", () => {
  const scene = new Scene();
  after(() => scene.strike());

  it("need nothing but the endpoints", () => {
    const found = settings({ STATUS_ENDPOINTS: given(WEB) });
    assert.deepEqual(found, {
      port: 3000,
      endpoints: [{ environment: "dev", name: "web", url: new URL(WEB.url) }],
      intervalMs: 15_000,
      timeoutMs: 5000,
    });
  });

  it("say where to connect, whom to trust, how often, and where to keep what was seen", () => {
    const ca = join(scene.dir, "ca.crt");
    writeFileSync(ca, "-----BEGIN CERTIFICATE-----");
    const all = {
      STATUS_ENDPOINTS: given({ ...WEB, connect: "edge.dev-edge.svc.cluster.local.:443" }),
      STATUS_CA: ca,
      STATUS_INTERVAL: "60",
      STATUS_TIMEOUT: "10",
      STATUS_FILE: "/data/history.json",
      PORT: "8080",
      HOST: "127.0.0.1",
    };
    const { endpoints, ...rest } = settings(all);
    assert.deepEqual(endpoints[0]?.connect, { host: "edge.dev-edge.svc.cluster.local.", port: 443 });
    assert.deepEqual(rest, {
      port: 8080,
      host: "127.0.0.1",
      ca: "-----BEGIN CERTIFICATE-----",
      intervalMs: 60_000,
      timeoutMs: 10_000,
      file: "/data/history.json",
    });
    assert.equal(settings({ ...all, STATUS_CA: "-----BEGIN X" }).ca, "-----BEGIN X");
  });

  it("keep the patience within a short interval", () => {
    assert.equal(settings({ STATUS_ENDPOINTS: given(WEB), STATUS_INTERVAL: "2" }).timeoutMs, 2000);
  });

  const faults: [string, Record<string, string>, RegExp][] = [
    ["no endpoints", {}, /STATUS_ENDPOINTS is not a list: give up to 200/],
    ["too many", { STATUS_ENDPOINTS: given(...Array.from({ length: 201 }, () => WEB)) }, /STATUS_ENDPOINTS is not/],
    [
      "one without a name",
      { STATUS_ENDPOINTS: given({ ...WEB, name: "" }) },
      /STATUS_ENDPOINTS\[0\] is .*: give objects/,
    ],
    ["one of another kind", { STATUS_ENDPOINTS: given({ ...WEB, url: "ftp://x" }) }, /STATUS_ENDPOINTS\[0\] is/],
    ["nowhere to connect", { STATUS_ENDPOINTS: given({ ...WEB, connect: "edge" }) }, /STATUS_ENDPOINTS\[0\] is/],
    ["nothing in the list", { STATUS_ENDPOINTS: given(null) }, /STATUS_ENDPOINTS\[0\] is null/],
    ["one twice", { STATUS_ENDPOINTS: given(WEB, WEB) }, /names dev\/web more than once/],
    ["no interval", { STATUS_ENDPOINTS: given(WEB), STATUS_INTERVAL: "0" }, /STATUS_INTERVAL is "0": give a number/],
    [
      "patience beyond it",
      { STATUS_ENDPOINTS: given(WEB), STATUS_TIMEOUT: "20" },
      /STATUS_TIMEOUT is 20: give no more/,
    ],
    ["no authority", { STATUS_ENDPOINTS: given(WEB), STATUS_CA: "/nowhere" }, /STATUS_CA is neither .*\(ENOENT\)/],
  ];
  for (const [title, environment, reason] of faults)
    it(`refuse ${title}, and say what is allowed`, () => assert.throws(() => settings(environment), reason));

  it("report all faults at once", () => {
    assert.throws(() => settings({ PORT: "x", STATUS_INTERVAL: "x" }), /PORT.*; STATUS_ENDPOINTS.*; STATUS_INTERVAL/);
  });
});
