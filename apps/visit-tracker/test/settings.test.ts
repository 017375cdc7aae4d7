import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { redisSettings } from "../src/visits/settings";

describe("settings", () => {
  it("needs a host and nothing else", () => {
    assert.deepEqual(redisSettings({ REDIS_HOST: "redis" }), {
      mode: "standalone",
      host: "redis",
      port: 6379,
      tls: false,
    });
  });

  it("takes all there is", () => {
    const environment = {
      REDIS_HOST: "redis",
      REDIS_PORT: "7000",
      REDIS_USERNAME: "app",
      REDIS_PASSWORD: "p",
      REDIS_TLS: "true",
    };
    const expected = { mode: "standalone", host: "redis", port: 7000, username: "app", password: "p", tls: true };
    assert.deepEqual(redisSettings({ ...environment, REDIS_CA: "" }), expected);
    assert.match(redisSettings({ ...environment, REDIS_CA: __filename }).ca ?? "", /takes all there is/);
  });

  it("takes the mode, and for sentinels the name of the master", () => {
    const { mode } = redisSettings({ REDIS_HOST: "redis", REDIS_MODE: "cluster", REDIS_SENTINEL_NAME: "unused" });
    assert.equal(mode, "cluster");
    const sentinel = { REDIS_HOST: "redis", REDIS_PORT: "26379", REDIS_MODE: "sentinel", REDIS_SENTINEL_NAME: "main" };
    const expected = { mode: "sentinel", host: "redis", port: 26379, tls: false, sentinelName: "main" };
    assert.deepEqual(redisSettings(sentinel), expected);
  });

  it("refuses a mode there is not, and sentinels without a name", () => {
    assert.throws(
      () => redisSettings({ REDIS_HOST: "redis", REDIS_MODE: "ha" }),
      /REDIS_MODE is "ha": give standalone/,
    );
    const nameless = { REDIS_HOST: "redis", REDIS_MODE: "sentinel" };
    assert.throws(() => redisSettings(nameless), /REDIS_SENTINEL_NAME is not set but REDIS_MODE is sentinel/);
  });

  it("takes the certificate itself instead of a file", () => {
    const ca = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
    assert.equal(redisSettings({ REDIS_HOST: "redis", REDIS_TLS: "true", REDIS_CA: ca }).ca, ca);
    assert.throws(() => redisSettings({ REDIS_HOST: "redis", REDIS_CA: ca }), /REDIS_CA is given but REDIS_TLS is not/);
  });

  it("treats an empty variable as one that is not set", () => {
    const empty = { REDIS_PORT: "", REDIS_USERNAME: "", REDIS_PASSWORD: "", REDIS_TLS: "", REDIS_CA: "" };
    assert.deepEqual(redisSettings({ REDIS_HOST: "redis", ...empty }), {
      mode: "standalone",
      host: "redis",
      port: 6379,
      tls: false,
    });
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
