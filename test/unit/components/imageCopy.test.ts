import assert from "node:assert/strict";
import * as fs from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyImage } from "../../../components/lib/imageCopy";
import { type ImageReference, formatReference, parseReference } from "../../../components/lib/imageReference";
import { RegistryClient } from "../../../components/lib/registryClient";
import { authority } from "../../../sandbox/pki";
import { FakeRegistry, OCI_INDEX } from "./fakeRegistry";

const LOGIN = { username: "someone", password: "password-of-the-tests" };
const PATIENCE = { timeoutMs: 2000, retryMs: 3000 };
const DIGEST = `sha256:${"a".repeat(64)}`;

describe("an image reference", () => {
  it("is host, repository, tag and digest", () => {
    const text = `registry.example:5000/team/web:1.2_3-x@${DIGEST}`;
    const parsed = { host: "registry.example:5000", repository: "team/web", tag: "1.2_3-x", digest: DIGEST };
    assert.deepEqual(parseReference(text), parsed);
    assert.equal(formatReference(parsed), text);
  });

  it("is none without any of these", () => {
    for (const text of [
      `web:1@${DIGEST}`,
      `r.example/web@${DIGEST}`,
      "r.example/web:1",
      `r.example/web:1@sha256:1`,
      "",
    ])
      assert.throws(() => parseReference(text), /is no image by digest: expected host\/repository:tag@sha256:/, text);
  });
});

describe("a copy between registries", function () {
  this.timeout(20_000);
  let dir: string;
  let from: FakeRegistry;
  let to: FakeRegistry;
  let trusted: string | undefined;

  before(() => {
    dir = fs.mkdtempSync(join(tmpdir(), "copy-"));
    trusted = process.env.SSL_CERT_FILE;
    process.env.SSL_CERT_FILE = authority(dir, "ca", "CA of the tests").cert;
  });
  after(() => {
    if (trusted === undefined) delete process.env.SSL_CERT_FILE;
    else process.env.SSL_CERT_FILE = trusted;
    fs.rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const ca = authority(dir, "ca", "CA of the tests");
    from = await FakeRegistry.start(dir, ca, [LOGIN.password]);
    to = await FakeRegistry.start(dir, ca, [LOGIN.password]);
  });
  afterEach(() => Promise.all([from.stop(), to.stop()]));

  const client = ({ host }: FakeRegistry): RegistryClient => new RegistryClient(host, LOGIN, PATIENCE);
  const image = (digest: string): ImageReference => ({ host: "any", repository: "web", tag: "1", digest });
  const copy = (digest: string): Promise<void> => copyImage(client(from), client(to), image(digest));
  const uploads = (): string[] => to.log.filter((line) => line.startsWith("PUT /v2/web/blobs/"));
  const isBlobUpload = ({ method, url = "" }: IncomingMessage): boolean => method === "PUT" && url.includes("/blobs/");

  it("keeps the digest, and every byte", async () => {
    const digest = from.addImage("web", "1", ["layer one", "layer two"]);
    await copy(digest);
    assert.deepEqual(to.manifests, from.manifests);
    assert.deepEqual([...to.blobs.keys()].sort(), [...from.blobs.keys()].sort());
    assert.equal(await client(to).digestOf("web", "1"), digest);
  });

  it("brings all that an index names, and names only the index", async () => {
    const children = [from.addImage("web", "amd64", ["for amd64"]), from.addImage("web", "arm64", ["for arm64"])];
    const digest = from.addIndex("web", "1", children);
    await copy(digest);
    assert.equal(to.manifests.get("web:1")?.type, OCI_INDEX);
    const names = [`web:1`, ...[digest, ...children].map((each) => `web@${each}`)];
    assert.deepEqual([...to.manifests.keys()].sort(), names.sort());
  });

  it("sends what is missing only, and nothing twice", async () => {
    const digest = from.addImage("web", "1", ["layer one", "layer two", "layer two"]);
    const [present = ""] = [...from.blobs.keys()].slice(1);
    to.blobs.set(present, from.blobs.get(present) as Buffer);
    await copy(digest);
    assert.equal(uploads().length, 2, "the configuration and one of two layers");
    await copy(digest);
    assert.equal(uploads().length, 2);
  });

  it("leaves a vendor's layers to their vendor", async () => {
    const foreign = { mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", digest: DIGEST, size: 1 };
    await copy(from.addImage("web", "1", ["layer"], [foreign]));
    assert.equal(to.blobs.size, 2);
  });

  it("goes on after broken connections and where the registry is busy, each time with what is missing", async () => {
    const digest = from.addImage("web", "1", ["layer one", "layer two", "x".repeat(300_000)]);
    let faults = 0;
    to.fault = (request, response) => {
      if (!isBlobUpload(request) || ++faults > 3) return false;
      if (faults === 2) response.writeHead(503).end();
      else request.socket.destroy();
      return true;
    };
    await copy(digest);
    assert.ok(faults > 3);
    assert.deepEqual(to.manifests, from.manifests);
  });

  it("goes on where the source breaks off in the middle of a layer", async () => {
    const digest = from.addImage("web", "1", ["x".repeat(300_000)]);
    let broken = false;
    from.fault = ({ url = "" }, response) => {
      if (!url.includes("/blobs/") || broken) return false;
      broken = true;
      response.writeHead(200, { "content-length": 300_000 });
      response.write("x".repeat(1000), () => response.destroy());
      return true;
    };
    await copy(digest);
    assert.equal(await client(to).digestOf("web", "1"), digest);
  });

  it("gives up on a registry that stays away, and says which and why", async () => {
    const digest = from.addImage("web", "1", ["layer"]);
    const [source, target, { host }] = [client(from), client(to), to];
    await to.stop();
    const started = Date.now();
    const refusal = new RegExp(`^Error: the registry ${host} cannot be reached: .*ECONNREFUSED`);
    await assert.rejects(copyImage(source, target, image(digest)), refusal);
    assert.ok(Date.now() - started < PATIENCE.retryMs + 1000);
  });

  it("gives up on a registry that does not answer", async () => {
    from.fault = () => true;
    const hasty = new RegistryClient(from.host, LOGIN, { timeoutMs: 200, retryMs: 0 });
    await assert.rejects(hasty.digestOf("web", "1"), /does not answer HEAD \/v2\/web\/manifests\/1 within 0\.2 s$/);
  });

  it("names nothing of which a part is damaged", async () => {
    const digest = from.addImage("web", "1", ["layer one"]);
    const [layer = ""] = [...from.blobs.keys()].slice(1);
    from.blobs.set(layer, Buffer.from("layer 0ne"));
    await assert.rejects(
      copy(digest),
      new RegExp(`${from.host} sends sha256:[0-9a-f]{64} for ${layer}: its volume is`),
    );
    assert.equal(to.manifests.size, 0);
    assert.ok(!to.blobs.has(layer));
  });

  it("refuses a manifest that is not the one asked for", async () => {
    const digest = from.addImage("web", "1", ["layer one"]);
    from.manifests.set(`web@${digest}`, { type: OCI_INDEX, bytes: Buffer.from("{}") });
    await assert.rejects(copy(digest), /its volume is damaged/);
    await assert.rejects(copy(DIGEST), new RegExp(`the registry ${from.host} has no web@${DIGEST}`));
  });

  it("says that a login is refused, and what the registry asks for where it is another one", async () => {
    const stranger = (): RegistryClient => new RegistryClient(from.host, { ...LOGIN, password: "wrong" }, PATIENCE);
    await assert.rejects(stranger().digestOf("web", "1"), new RegExp(`the registry ${from.host} refuses the login$`));
    from.scheme = "Bearer";
    await assert.rejects(stranger().digestOf("web", "1"), /refuses the login: it asks for Bearer, and only user and/);
  });

  it("is refused at once by a registry that takes no pushes", async () => {
    to.fault = ({ method }, response) => method !== "HEAD" && Boolean(response.writeHead(405).end());
    await assert.rejects(copy(from.addImage("web", "1", ["layer"])), /answers 405 to POST \/v2\/web\/blobs\/uploads\//);
  });

  it("takes no certificate that it cannot trust", async () => {
    const authorities = process.env.SSL_CERT_FILE;
    process.env.SSL_CERT_FILE = authority(dir, "other-ca", "another CA").cert;
    try {
      await assert.rejects(
        client(from).digestOf("web", "1"),
        /certificate of the registry 127.* is not trusted .*SSL_CERT_FILE/,
      );
    } finally {
      process.env.SSL_CERT_FILE = authorities;
    }
  });
});
