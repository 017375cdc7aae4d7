import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { settings, storeSettings } from "../src/settings";

const least = {
  AWS_ENDPOINT_URL_S3: "http://store:9000",
  AWS_ACCESS_KEY_ID: "app-site",
  AWS_SECRET_ACCESS_KEY: "hush-hush",
  S3_BUCKET: "files",
};

describe("the settings", () => {
  const folder = mkdtempSync(join(tmpdir(), "file-site-"));
  after(() => rmSync(folder, { recursive: true }));

  it("need a store, a bucket and a key, and have defaults for the rest", () => {
    const { port, host, store } = settings(least);
    assert.deepEqual(
      [port, host, store.endpoint.href, store.region],
      [3000, undefined, "http://store:9000/", "us-east-1"],
    );
    assert.deepEqual([store.bucket, store.user, store.password], ["files", "app-site", "hush-hush"]);
    assert.deepEqual(storeSettings(least), store);
  });

  it("need certificates for https, and all three", () => {
    const secure = { ...least, AWS_ENDPOINT_URL_S3: "https://store:9000" };
    assert.throws(() => settings(secure), /S3_CERTIFICATES is not set/);
    writeFileSync(join(folder, "tls.crt"), "");
    writeFileSync(join(folder, "ca.crt"), "");
    assert.throws(() => settings({ ...secure, S3_CERTIFICATES: folder }), /which has no tls\.key$/);
    writeFileSync(join(folder, "tls.key"), "");
    assert.equal(settings({ ...secure, S3_CERTIFICATES: folder }).store.certificates, folder);
  });

  const refused: [string, Record<string, string>, RegExp][] = [
    ["a port that is none", { PORT: "http" }, /PORT is "http": give a number from 1 to 65535/],
    ["a port out of range", { PORT: "65536" }, /PORT is "65536"/],
    ["an address without a protocol", { AWS_ENDPOINT_URL_S3: "store:9000" }, /AWS_ENDPOINT_URL_S3 is "store:9000"/],
    [
      "an address with a path",
      { AWS_ENDPOINT_URL_S3: "http://store/files" },
      /AWS_ENDPOINT_URL_S3 is "http:\/\/store\/files"/,
    ],
    ["no bucket", { S3_BUCKET: "" }, /S3_BUCKET is not set/],
  ];
  for (const [what, given, message] of refused)
    it(`refuse ${what}`, () => assert.throws(() => settings({ ...least, ...given }), message));

  it("report every fault at once, and never the key", () => {
    assert.throws(
      () => settings({ ...least, PORT: "x", S3_BUCKET: "", AWS_ENDPOINT_URL_S3: "" }),
      (error: Error) => {
        for (const name of ["PORT", "S3_BUCKET", "AWS_ENDPOINT_URL_S3"]) assert.match(error.message, new RegExp(name));
        assert.doesNotMatch(error.message, /hush/);
        return true;
      },
    );
  });
});
