import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PromotedImage } from "../../../components/promotedImage";
import { RegistryClient } from "../../../components/lib/registryClient";
import { authority } from "../../../sandbox/pki";
import { FakeRegistry } from "./fakeRegistry";
import { type Recording, record } from "./recorder";
import { Scene } from "./scene";

const PULL = "password-of-dev";
const PUSH = "generated-registry-push-password";
const OWN = "registry.dev-registry.svc.cluster.local";

describe("PromotedImage", function () {
  this.timeout(20_000);
  let dir: string;
  let trusted: string | undefined;
  let from: FakeRegistry;
  let to: FakeRegistry;
  let digest: string;

  before(() => {
    dir = mkdtempSync(join(tmpdir(), "promoted-"));
    trusted = process.env.SSL_CERT_FILE;
    process.env.SSL_CERT_FILE = authority(dir, "ca", "CA of the tests").cert;
  });
  after(() => {
    if (trusted === undefined) delete process.env.SSL_CERT_FILE;
    else process.env.SSL_CERT_FILE = trusted;
    rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const ca = authority(dir, "ca", "CA of the tests");
    from = await FakeRegistry.start(dir, ca, [PULL]);
    to = await FakeRegistry.start(dir, ca, [PUSH]);
    digest = from.addImage("web", "1", ["layer"]);
  });
  afterEach(() => Promise.all([from.stop(), to.stop()]));

  const run = (options: { preview?: boolean; image?: string; login?: boolean } = {}): Promise<Recording> =>
    record(
      () => {
        const scene = new Scene();
        const client = new RegistryClient(from.host, { username: "pull", password: PULL });
        const { reference } = new PromotedImage(
          "web",
          {
            from: "earlier",
            image: "image" in options ? options.image : `registry.earlier.example/web:1@${digest}`,
            registry: scene.registry(),
            pushHost: to.host,
            source: (environment) =>
              Promise.resolve(environment === "earlier" && options.login !== false ? client : undefined),
          },
          scene.opts,
        );
        return { reference };
      },
      { preview: options.preview },
    );

  it("is in this environment's registry under the same tag and digest before anyone hears of it", async () => {
    const { outputs } = await run();
    assert.equal(outputs.reference, `${OWN}/web:1@${digest}`);
    assert.ok(to.manifests.has(`web@${digest}`) && to.manifests.has("web:1"));
  });

  it("is no secret, and keeps none: neither login is an input or output of it", async () => {
    const { resources } = await run();
    const own = resources.filter(({ type }) => type === "platform:index:PromotedImage");
    assert.equal(own.length, 1);
    assert.ok(!JSON.stringify(resources.map(({ opened }) => opened)).includes(PULL));
  });

  it("asks the source nothing where it is here already", async () => {
    await run();
    from.log.length = 0;
    to.log.length = 0;
    await run({ login: false });
    assert.deepEqual([from.log, to.log], [[], ["HEAD /v2/web/manifests/1"]]);
  });

  it("comes again where this environment's registry lost it", async () => {
    await run();
    to.manifests.clear();
    to.blobs.clear();
    await run();
    assert.ok(to.manifests.has(`web@${digest}`));
  });

  it("is looked at by a preview only, and left open where no stage recorded it", async () => {
    assert.equal((await run({ preview: true })).outputs.reference, `${OWN}/web:1@${digest}`);
    const open = await run({ preview: true, image: undefined });
    assert.notEqual(typeof open.outputs.reference === "string" && open.outputs.reference.includes("web"), true);
    assert.deepEqual([from.log, to.log], [[], []]);
  });
});
