import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensure } from "../../../toolchain";
import { withOrigins } from "../../../toolchain/crdOrigins";
import { type CustomResourceDefinition, leanDefinition, withoutDescriptions } from "../../../toolchain/crdSchema";
import { CRD_COMPONENTS, ensureCrds, crdFiles } from "../../../toolchain/crds";
import { type LockItem, lockFaults, readLock } from "../../../toolchain/lock";
import { FakeOrigin, sha256 } from "./fakeOrigin";
import { Scratch } from "./scratch";

const UPSTREAM = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: tools.example.org
  creationTimestamp: null
spec:
  group: example.org
  names: { kind: Tool, plural: tools }
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          description: A tool.
          properties:
            description: { type: string, description: What it is. }
    - name: v1alpha1
      served: false
      storage: false
`;

const items = (file = UPSTREAM): Record<string, LockItem> =>
  Object.fromEntries(
    CRD_COMPONENTS.map((component) => [
      `crds-${component}`,
      withOrigins({
        version: "1.0.0",
        purpose: "crds",
        provides: [],
        definitions: {
          module: "example.org/tool",
          repository: "example/tool",
          directory: `config/${component}`,
          files: { "tool.yaml": sha256(Buffer.from(file)) },
        },
      }),
    ]),
  );

describe("a lean definition", () => {
  it("keeps what is called description and loses what is one, at every depth", () => {
    const schema = {
      description: "prose",
      type: "object",
      required: ["description"],
      properties: {
        description: { type: "string", description: "prose", default: { description: "data" } },
        list: { items: { description: "prose", anyOf: [{ description: "prose", type: "string" }] } },
        map: { additionalProperties: { description: "prose", not: { description: "prose" } } },
        open: { additionalProperties: true, allOf: [{ oneOf: [{ description: "prose" }] }] },
      },
    };
    const before = JSON.stringify(schema);
    assert.deepEqual(withoutDescriptions(schema), {
      type: "object",
      required: ["description"],
      properties: {
        description: { type: "string", default: { description: "data" } },
        list: { items: { anyOf: [{ type: "string" }] } },
        map: { additionalProperties: { not: {} } },
        open: { additionalProperties: true, allOf: [{ oneOf: [{}] }] },
      },
    });
    assert.equal(JSON.stringify(schema), before, "its input is left alone");
  });

  it("has the versions that are served or stored, and no status", () => {
    const version = (name: string, served: boolean, storage: boolean): object => ({ name, served, storage });
    const versions = [version("v1", true, true), version("v1beta1", true, false), version("v1alpha1", false, false)];
    const full = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "a.b", creationTimestamp: null, annotations: { "api-approved": "yes" } },
      spec: { group: "b", versions },
      status: {},
    } as unknown as CustomResourceDefinition;
    const lean = leanDefinition(full);
    assert.deepEqual(Object.keys(lean), ["apiVersion", "kind", "metadata", "spec"]);
    assert.deepEqual(lean.metadata, { name: "a.b", annotations: { "api-approved": "yes" } });
    assert.deepEqual(
      lean.spec.versions.map(({ name }) => name),
      ["v1", "v1beta1"],
    );
  });
});

describe("an item of definitions", () => {
  let scratch: Scratch;
  let origin: FakeOrigin;

  beforeEach(async () => {
    scratch = new Scratch();
    origin = new FakeOrigin();
    scratch.origin = await origin.start();
    scratch.fakeGo();
    for (const component of CRD_COMPONENTS) {
      writeInModule(component, UPSTREAM);
      const served = `/raw.githubusercontent.com/example/tool/v1.0.0/config/${component}/tool.yaml`;
      origin.files.set(served, { body: Buffer.from(UPSTREAM) });
    }
  });

  afterEach(async () => {
    await origin.stop();
    scratch.remove();
  });

  const writeInModule = (component: string, text: string): void => {
    const directory = path.join(scratch.go, "module/config", component);
    fs.mkdirSync(directory, { recursive: true });
    fs.writeFileSync(path.join(directory, "tool.yaml"), text);
  };

  const definitions = async (source: "download" | "build"): Promise<CustomResourceDefinition[]> =>
    crdFiles((await ensureCrds(scratch.options(items(), { source })))["gateway-api"]).map(
      (file) => JSON.parse(fs.readFileSync(file, "utf8")) as CustomResourceDefinition,
    );

  it("is the same from the publisher and out of the module", async () => {
    const downloaded = await definitions("download");
    assert.deepEqual(scratch.goCalls(), []);
    assert.deepEqual(downloaded, await definitions("build"));
    assert.equal(downloaded[0]?.metadata.name, "tools.example.org");
    assert.ok(!JSON.stringify(downloaded).includes("A tool."));
    assert.match(scratch.goCalls().join(), /mod download -json example\.org\/tool@v1\.0\.0/);
  });

  for (const source of ["download", "build"] as const)
    it(`is refused where its checksum differs (${source})`, async () => {
      const changed = scratch.options(items("other"), { source });
      await assert.rejects(ensure(["crds-gateway-api"], changed), /checksum mismatch of .*tool\.yaml/);
      assert.deepEqual(scratch.stored(), []);
    });

  it("is refused where it is something else", async () => {
    const other = "kind: ConfigMap\nmetadata: { name: a }\n";
    writeInModule("gateway-api", other);
    const options = scratch.options(items(other), { source: "build" });
    await assert.rejects(ensure(["crds-gateway-api"], options), /tool\.yaml holds a ConfigMap/);
  });

  it("needs Go only where the publisher does not answer", async () => {
    fs.rmSync(path.join(scratch.bin, "go"));
    const env = { ...scratch.env(), PATH: scratch.bin };
    const options = (source: "download" | "build"): object => ({ ...scratch.options(items(), { source }), env });
    await assert.rejects(ensure(["crds-gateway-api"], options("build")), /read out of a Go module .* has no Go/);
    await ensure(["crds-gateway-api"], options("download"));
  });

  it("says where to get them when a directory holds none", () => {
    assert.throws(() => crdFiles(scratch.root), /holds no definitions: bring them with/);
    assert.throws(() => crdFiles("/nowhere"), /holds no definitions/);
  });
});

describe("the lock's definitions", () => {
  it("have an item for each component, and a sum for each file", () => {
    const { items: locked } = readLock();
    const named = Object.keys(locked).filter((name) => name.startsWith("crds-"));
    assert.deepEqual(
      named.sort(),
      CRD_COMPONENTS.map((component) => `crds-${component}`),
    );
    for (const name of named) assert.ok(locked[name]?.definitions, `${name} has definitions`);
  });

  it("fit the version of the component that serves them", () => {
    const { items: locked } = readLock();
    for (const component of ["cert-manager", "external-secrets", "prometheus-operator"])
      assert.equal(locked[`crds-${component}`]?.version, locked[component]?.version);
  });

  it("are refused with a sum that is none", () => {
    const item = withOrigins({
      version: "1",
      purpose: "crds",
      provides: [],
      definitions: { module: "m", repository: "r", directory: "d", files: { "a.yaml": "abc" } },
    });
    assert.deepEqual(lockFaults({ items: { tool: item } }), [
      'items.tool.download.files[0].sha256.any: "abc" is not 64 hexadecimal digits',
    ]);
  });
});
