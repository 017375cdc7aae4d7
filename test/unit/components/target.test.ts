import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Target,
  definitionsOf,
  edgeTarget,
  image,
  images,
  optionalImage,
  readTarget,
  registryTarget,
  secretsTarget,
} from "../../../components/lib/target";
import { imageLock } from "../../../toolchain/images/lock";
import { SECRET, record } from "./recorder";

const target: Target = { description: "the cluster of the tests", images: { redis: "r@sha256:1" }, registries: {} };

describe("a target", () => {
  let dir: string;
  const write = (name: string, text: string): string => {
    const file = join(dir, name);
    writeFileSync(file, text);
    return file;
  };
  const read = (content: unknown): Target =>
    readTarget({ PLATFORM_TARGET: write("target.json", JSON.stringify(content)) });
  before(() => (dir = mkdtempSync(join(tmpdir(), "target-"))));
  after(() => rmSync(dir, { recursive: true, force: true }));

  it("without a file is the user's own cluster, with the official images and Docker as it is", () => {
    const found = readTarget({ DOCKER_HOST: "tcp://192.0.2.1:2376" });
    assert.deepEqual(Object.keys(found.images), Object.keys(imageLock));
    assert.equal(found.dockerHost, "tcp://192.0.2.1:2376");
    assert.equal(found.clusterUid, undefined);
    assert.deepEqual(found.registries, {});
  });

  it("is read from the file that is named", () => {
    assert.deepEqual(read({ ...target, clusterUid: "u" }), { ...target, clusterUid: "u" });
  });

  it("names the file and the command that writes it when it cannot be read", () => {
    const missing = join(dir, "missing.json");
    assert.throws(
      () => readTarget({ PLATFORM_TARGET: missing }),
      /names .*missing\.json, which cannot be read .*ENOENT/,
    );
    const broken = write("broken.json", "{");
    assert.throws(() => readTarget({ PLATFORM_TARGET: broken }), /broken\.json, which cannot be read .*run npm run up/);
  });

  it("names all that is wrong with it", () => {
    const faults =
      /is not usable:\n {2}- description: found 1, .*\n {2}- images: found nothing, .*\n {2}- registries: found "none"/;
    assert.throws(() => read({ description: 1, registries: "none" }), faults);
    assert.throws(() => read({ description: "x", images: null, registries: [] }), /- images: found null/);
    assert.throws(() => read(null), /is not usable/);
  });

  it("gives several images, each under the name that is asked for", () => {
    assert.deepEqual(images(target, { server: "redis" }), { server: "r@sha256:1" });
    assert.throws(() => images(target, { server: "redis", other: "vault" }), /no image "vault"/);
  });

  it("gives an image, or the names of those it has", () => {
    assert.equal(image(target, "redis"), "r@sha256:1");
    assert.throws(() => image(target, "vault"), /no image "vault" for the cluster of the tests: it has redis$/);
  });

  it("gives an image that not every target has where it is there, and says what to do where it is insisted on", () => {
    const ask = (name: string, wanted?: boolean): string | undefined =>
      optionalImage(target, name, { key: "platform:monitoring.grafana", wanted });
    assert.deepEqual(
      [undefined, true, false].map((wanted) => ask("redis", wanted)),
      ["r@sha256:1", "r@sha256:1", undefined],
    );
    assert.deepEqual(
      [undefined, false].map((wanted) => ask("grafana", wanted)),
      [undefined, undefined],
    );
    assert.throws(
      () => ask("grafana", true),
      /^Error: platform:monitoring\.grafana is true, but the cluster of the tests has no image "grafana".* from docker\.io\/grafana\/grafana:.*Leave platform:monitoring\.grafana out/,
    );
  });

  it("gives a registry with its certificate, and the key as a secret", async () => {
    const dev = {
      host: "registry.example",
      pushHost: "192.0.2.1",
      address: "192.0.2.1",
      certificateFile: write("tls.crt", "certificate"),
      keyFile: write("tls.key", "key"),
    };
    const { outputs } = await record(() => ({ ...registryTarget({ ...target, registries: { dev } }, "dev") }));
    const { host, pushHost, address } = dev;
    assert.deepEqual(outputs, { host, pushHost, address, certificate: "certificate", key: SECRET });
  });

  it("without a registry for the environment says why one is needed and where to name it", () => {
    assert.throws(
      () => registryTarget(target, "qa"),
      /the nodes of the cluster of the tests trust no registry for "qa" yet.*under registries\.qa of the target file/,
    );
  });

  it("says what is missing for Vault, and for what the cluster has once", () => {
    assert.throws(
      () => secretsTarget(target, "dev"),
      /has no way to the Vault of "dev" yet\. Name its url under vaults\.dev/,
    );
    const all = { monitoring: true };
    assert.throws(() => definitionsOf(target, all), /has no files with the definitions .* name them under definitions/);
    const files = ["cert-manager.io", "monitoring.coreos.com"].map((group) =>
      write(`${group}.json`, JSON.stringify({ spec: { group } })),
    );
    assert.deepEqual(definitionsOf({ ...target, definitions: files }, all), files);
    assert.deepEqual(definitionsOf({ ...target, definitions: files }, { monitoring: false }), files.slice(0, 1));
  });

  it("gives the edge an address and ports where they are promised", () => {
    const edges = { dev: { address: "192.0.2.7", ports: { http: 8080, https: 8443 } } };
    assert.deepEqual(edgeTarget({ ...target, edges }, "dev"), edges.dev);
    assert.deepEqual(edgeTarget({ ...target, edges }, "qa"), {});
    assert.deepEqual(edgeTarget(target, "dev"), {});
  });

  it("gives the way to Vault, with the authority's key as a secret", async () => {
    const authority = {
      certificateFile: write("ca.crt", "certificate"),
      keyFile: write("ca.key", "key of the authority"),
    };
    const vaults = { dev: { url: "https://192.0.2.4:8200", address: "192.0.2.4" } };
    const { outputs } = await record(() => ({ access: secretsTarget({ ...target, authority, vaults }, "dev") }));
    assert.deepEqual(outputs.access, {
      url: "https://192.0.2.4:8200",
      address: "192.0.2.4",
      authority: { certificate: "certificate", key: SECRET },
    });
  });
});
