import assert from "node:assert/strict";
import { type Recording, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

const CONTAINER = "spec.template.spec.containers.0";

describe("an application with a bucket that is loaded before it starts", () => {
  let recording: Recording;
  before(async () => {
    recording = await record(() => {
      const scene = new Scene();
      scene.app("web", { store: scene.objectStore(), load: ["node", "load.js"], env: { LEVEL: "info" } });
    });
  });

  it("[004.13] has a key for reading alone, and what loads has another", () => {
    const server = one(recording, "Deployment", "web-server");
    const loader = one(recording, "Job", "web-loader");
    assert.deepEqual(field(server, `${CONTAINER}.envFrom`), [{ secretRef: { name: "web-object-store" } }]);
    assert.deepEqual(field(loader, `${CONTAINER}.envFrom`), [{ secretRef: { name: "web-loader-object-store" } }]);
    assert.deepEqual(field(loader, `${CONTAINER}.command`), ["node", "load.js"]);
    assert.deepEqual(field(loader, `${CONTAINER}.env`), [{ name: "LEVEL", value: "info" }]);
    assert.equal(field(loader, `${CONTAINER}.image`), field(server, `${CONTAINER}.image`));
  });

  it("[004.8] starts once the bucket is loaded, and that once the bucket is there", () => {
    const loader = one(recording, "Job", "web-loader");
    const keeper = one(recording, "Deployment", "object-store-keeper");
    assert.ok(one(recording, "Deployment", "web-server").dependencies.includes(loader.urn));
    assert.ok(loader.dependencies.includes(keeper.urn));
  });

  it("opens the way for each of them, whose pods no Service takes for the other's", () => {
    const own = names(recording, "NetworkPolicy").filter((name) => name.startsWith("web-"));
    const paths = ["web", "web-loader"].flatMap((from) =>
      ["egress", "ingress"].map((side) => `${from}-to-object-store-${side}`),
    );
    assert.deepEqual(own.sort(), paths.sort());
    const labels = field(one(recording, "Job", "web-loader"), "spec.template.metadata.labels") as Record<
      string,
      string
    >;
    const selected = field(one(recording, "Service", "web-service"), "spec.selector") as Record<string, string>;
    assert.ok(Object.entries(selected).some(([key, value]) => labels[key] !== value));
  });

  it("[004.5] both have a certificate of a client, and trust the platform's authority", () => {
    assert.deepEqual(one(recording, "ConfigMap", "web-store-authority").inputs.data, {
      "ca.crt": "certificate of the authority",
    });
    for (const each of [one(recording, "Deployment", "web-server"), one(recording, "Job", "web-loader")]) {
      const mount = { name: "store", mountPath: "/etc/object-store", readOnly: true };
      assert.deepEqual(field(each, `${CONTAINER}.volumeMounts.1`), mount);
      const sources = field(each, "spec.template.spec.volumes.1.projected.sources") as {
        secret?: { name: string };
      }[];
      assert.equal(sources[0]?.secret?.name, "web-client");
    }
    const issuer = field(one(recording, "Certificate", "web-client"), "spec.issuerRef.name");
    assert.equal(issuer, "platform-clients");
  });

  it("without a load has no Job", async () => {
    const plain = await record(() => {
      const scene = new Scene();
      scene.app("web", { store: scene.objectStore() });
    });
    assert.deepEqual(names(plain, "Job"), []);
  });
});
