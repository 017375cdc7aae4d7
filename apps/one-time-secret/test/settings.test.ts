import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settings } from "../src/settings";

const KEY = "0123456789abcdef0123456789abcdef";
const least = { REDIS_HOST: "redis", OTS_KEY: KEY };

describe("the settings", () => {
  it("need a Redis and a key, and have defaults for the rest", () => {
    const redis = { mode: "standalone", host: "redis", port: 6379, tls: false };
    assert.deepEqual(settings(least), { port: 3000, keys: [KEY], redis });
    const empty = { REDIS_PORT: "", REDIS_MODE: "", REDIS_TLS: "", REDIS_CA: "", OTS_REPLICAS: "", PORT: "", HOST: "" };
    assert.deepEqual(settings({ ...least, ...empty }), settings(least));
  });

  it("take all that there is", () => {
    const given = settings({
      ...least,
      PORT: "8080",
      HOST: "127.0.0.1",
      OTS_KEY: `${KEY}\n`,
      OTS_KEY_PREVIOUS: KEY.toUpperCase(),
      OTS_REPLICAS: "0",
      REDIS_MODE: "sentinel",
      REDIS_PORT: "26379",
      REDIS_SENTINEL_NAME: "main",
      REDIS_USERNAME: "app",
      REDIS_PASSWORD: "p",
      REDIS_TLS: "true",
      REDIS_CA: __filename,
    });
    const { ca, ...redis } = given.redis;
    assert.match(ca ?? "", /take all that there is/);
    const login = { username: "app", password: "p" };
    assert.deepEqual(redis, {
      mode: "sentinel",
      host: "redis",
      port: 26379,
      sentinelName: "main",
      tls: true,
      ...login,
    });
    assert.deepEqual([given.port, given.host, given.replicas], [8080, "127.0.0.1", 0]);
    assert.deepEqual(given.keys, [KEY, KEY.toUpperCase()], "the one that encrypts is first, without its line's end");
  });

  it("take the certificate itself instead of a file, and forget the sentinels' name elsewhere", () => {
    const ca = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
    const given = settings({ ...least, REDIS_TLS: "true", REDIS_CA: ca, REDIS_SENTINEL_NAME: "main" });
    assert.deepEqual([given.redis.ca, given.redis.sentinelName], [ca, undefined]);
  });

  const refused: [string, Record<string, string>, RegExp][] = [
    ["a port that is none", { PORT: "http" }, /PORT is "http": give a number from 1 to 65535/],
    ["a port out of range", { PORT: "65536" }, /PORT is "65536"/],
    ["the port of a Service's variables", { REDIS_PORT: "tcp://10.0.0.1:6379" }, /REDIS_PORT is "tcp:\/\/10/],
    ["a mode there is not", { REDIS_MODE: "ha" }, /REDIS_MODE is "ha": give standalone, sentinel, cluster/],
    ["sentinels without a name", { REDIS_MODE: "sentinel" }, /REDIS_SENTINEL_NAME is not set/],
    ["a flag that is none", { REDIS_TLS: "yes" }, /REDIS_TLS is "yes": give true or false/],
    ["a user without a password", { REDIS_USERNAME: "app" }, /REDIS_USERNAME is "app" but REDIS_PASSWORD is not set/],
    ["an authority without TLS", { REDIS_CA: "/ca.pem" }, /REDIS_CA is "\/ca.pem" but REDIS_TLS is not true/],
    [
      "an authority that is not there",
      { REDIS_TLS: "true", REDIS_CA: "/no.pem" },
      /"\/no.pem", which cannot be read: ENOENT/,
    ],
    [
      "replicas that are no number",
      { OTS_REPLICAS: "one" },
      /OTS_REPLICAS is "one": give a number from 0 to 10 or nothing/,
    ],
  ];
  for (const [what, given, message] of refused) {
    it(`refuse ${what}`, () => assert.throws(() => settings({ ...least, ...given }), message));
  }

  it("report every fault at once, and never a key or a password", () => {
    const given = { OTS_KEY: "too short", OTS_KEY_PREVIOUS: "also short", REDIS_TLS: "yes", REDIS_PASSWORD: "hush" };
    assert.throws(
      () => settings(given),
      ({ message }: Error) => {
        for (const part of [
          "REDIS_HOST is not set",
          "OTS_KEY has 9 characters",
          "OTS_KEY_PREVIOUS has 10",
          "REDIS_TLS",
        ])
          assert.ok(message.includes(part), `${part} in ${message}`);
        return !/too short|also short|hush/.test(message);
      },
    );
    assert.throws(() => settings({ REDIS_HOST: "redis" }), /OTS_KEY is not set: give at least 32 characters/);
  });
});
