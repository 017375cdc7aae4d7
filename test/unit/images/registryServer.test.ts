import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Layer } from "../../../toolchain/images/layer";
import { requestedRange, serveImages, type ImageServer } from "../../../toolchain/images/registryServer";
import { MEDIA, OciStore, type StoredLayer } from "../../../toolchain/images/store";

const UNKNOWN = `sha256:${"0".repeat(64)}`;

describe("the image server", () => {
  let root: string;
  let server: ImageServer;
  let layer: StoredLayer;
  let digest: string;

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "registry-"));
    const store = new OciStore(root);
    layer = await store.putLayer(new Layer().file("/etc/hello", "hello"));
    const manifest = { schemaVersion: 2, mediaType: MEDIA.manifest, layers: [layer] };
    ({ digest } = await store.putJson(MEDIA.manifest, manifest));
    const ref = { digest, mediaType: MEDIA.manifest, recipe: "", inputs: {}, layers: [] };
    await store.writeRef({ repository: "docker.io/library/thing", tag: "1.0", ...ref });
    await store.writeRef({ repository: "images.platform.internal/thing", tag: "2.0", ...ref });
    server = await serveImages({ root, host: "127.0.0.1", port: 0 });
  });
  after(async () => {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });

  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${server.url}${path}`, init);
  async function refusal(response: Response): Promise<string> {
    const body = (await response.json()) as { errors: { code: string; message: string }[] };
    return `${response.status} ${body.errors[0]?.code}`;
  }

  it("says that it speaks the protocol", async () => {
    const response = await get("/v2/");
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("docker-distribution-api-version"), "registry/2.0");
  });

  it("serves a manifest by tag and by digest, with and without a body", async () => {
    for (const path of [
      `library/thing/manifests/1.0`,
      `thing/manifests/2.0?ns=x`,
      `library/thing/manifests/${digest}`,
    ]) {
      for (const method of ["GET", "HEAD"]) {
        const response = await get(`/v2/${path}`, { method });
        const body = await response.text();
        assert.equal(response.status, 200, path);
        assert.equal(response.headers.get("content-type"), MEDIA.manifest);
        assert.equal(response.headers.get("docker-content-digest"), digest);
        assert.ok(Number(response.headers.get("content-length")) > 0);
        assert.equal(body === "", method === "HEAD");
      }
    }
  });

  it("serves blobs, whole and in part", async () => {
    const whole = Buffer.from(await (await get(`/v2/library/thing/blobs/${layer.digest}`)).arrayBuffer());
    assert.equal(whole.length, layer.size);
    const part = await get(`/v2/library/thing/blobs/${layer.digest}`, { headers: { Range: "bytes=10-19" } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get("content-range"), `bytes 10-19/${layer.size}`);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(10, 20));
    const head = await get(`/v2/library/thing/blobs/${layer.digest}`, { method: "HEAD" });
    assert.equal(Number(head.headers.get("content-length")), layer.size);
    const outside = await get(`/v2/library/thing/blobs/${layer.digest}`, {
      headers: { Range: `bytes=${layer.size}-` },
    });
    assert.equal(await refusal(outside), "416 RANGE_INVALID");
  });

  it("refuses in the protocol's words what it does not have", async () => {
    assert.equal(await refusal(await get("/v2/library/thing/manifests/9.9")), "404 MANIFEST_UNKNOWN");
    assert.equal(await refusal(await get(`/v2/library/thing/manifests/${UNKNOWN}`)), "404 MANIFEST_UNKNOWN");
    assert.equal(await refusal(await get(`/v2/library/thing/manifests/${layer.digest}`)), "404 MANIFEST_UNKNOWN");
    assert.equal(await refusal(await get(`/v2/library/thing/blobs/${UNKNOWN}`)), "404 BLOB_UNKNOWN");
    assert.equal(await refusal(await get("/v2/library/thing/blobs/sha256:abc")), "400 DIGEST_INVALID");
    assert.equal(await refusal(await get("/v2/_catalog")), "404 NAME_UNKNOWN");
    assert.equal(await refusal(await get("/v2/library/thing/blobs/uploads/", { method: "POST" })), "405 UNSUPPORTED");
  });

  it("reads nothing outside its store", async () => {
    for (const path of [
      "/v2/../../../manifests/1.0",
      "/v2/thing/manifests/..%2f..%2fblobs",
      "/v2/a/../b/manifests/x",
    ]) {
      assert.equal(await rawStatus(server.port, path), 404, path);
    }
  });

  it("says when its port is taken", async () => {
    await assert.rejects(serveImages({ root, host: "127.0.0.1", port: server.port }), /EADDRINUSE/);
  });
});

/** fetch tidies paths up before it sends them; an attacker does not. */
function rawStatus(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on("error", reject).end();
  });
}

describe("a byte range", () => {
  const cases: [string | undefined, ReturnType<typeof requestedRange>][] = [
    [undefined, undefined],
    ["bytes=0-0", { start: 0, end: 0 }],
    ["bytes=5-", { start: 5, end: 9 }],
    ["bytes=-3", { start: 7, end: 9 }],
    ["bytes=-30", { start: 0, end: 9 }],
    ["bytes=2-200", { start: 2, end: 9 }],
    ["bytes=10-", "outside"],
    ["bytes=-0", "outside"],
    ["bytes=4-2", undefined],
    ["bytes=0-1,3-4", undefined],
    ["items=0-1", undefined],
  ];
  for (const [header, expected] of cases) {
    it(`${header ?? "that is absent"} of ten bytes`, () => assert.deepEqual(requestedRange(header, 10), expected));
  }
});
