import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { redisSettings } from "../src/visits/settings";

describe("settings", () => {
  it("needs a host and nothing else", () => {
    assert.deepEqual(redisSettings({ REDIS_HOST: "redis" }), { host: "redis", port: 6379, tls: false });
  });

  it("takes all there is", () => {
    const environment = {
      REDIS_HOST: "redis",
      REDIS_PORT: "7000",
      REDIS_USERNAME: "app",
      REDIS_PASSWORD: "p",
      REDIS_TLS: "true",
    };
    const expected = { host: "redis", port: 7000, username: "app", password: "p", tls: true };
    assert.deepEqual(redisSettings({ ...environment, REDIS_CA: "" }), expected);
    assert.match(redisSettings({ ...environment, REDIS_CA: __filename }).ca ?? "", /takes all there is/);
  });

  it("treats an empty variable as one that is not set", () => {
    const empty = { REDIS_PORT: "", REDIS_USERNAME: "", REDIS_PASSWORD: "", REDIS_TLS: "", REDIS_CA: "" };
    assert.deepEqual(redisSettings({ REDIS_HOST: "redis", ...empty }), { host: "redis", port: 6379, tls: false });
  });

  it("reports every fault at once, with the value found and never the password", () => {
    const environment = {
      REDIS_PORT: "tcp://10.0.0.1:6379",
      REDIS_TLS: "yes",
      REDIS_CA: "/ca.pem",
      REDIS_PASSWORD: "hush",
    };
    assert.throws(
      () => redisSettings(environment),
      ({ message }: Error) => {
        for (const part of ["REDIS_HOST is not set", '"tcp://10.0.0.1:6379"', '"yes": give true or false', '"/ca.pem"'])
          assert.ok(message.includes(part), `${part} in ${message}`);
        return !message.includes("hush");
      },
    );
  });

  for (const port of ["0", "65536", "-1", "1.5", "0x10", "6379 "]) {
    it(`refuses port "${port}"`, () => {
      assert.throws(() => redisSettings({ REDIS_HOST: "redis", REDIS_PORT: port }), /REDIS_PORT is/);
    });
  }

  it("refuses a user without a password and a certificate that is not there", () => {
    assert.throws(() => redisSettings({ REDIS_HOST: "redis", REDIS_USERNAME: "app" }), /REDIS_USERNAME is "app" but/);
    const tls = { REDIS_HOST: "redis", REDIS_TLS: "true", REDIS_CA: "/nowhere.pem" };
    assert.throws(() => redisSettings(tls), /REDIS_CA is "\/nowhere\.pem", which cannot be read: ENOENT/);
  });
});
