import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Recording, record } from "./recorder";
import { Scene, field, one, sourceFolder } from "./scene";

describe("AppImage", () => {
  const source = sourceFolder();
  const built = (): Promise<Recording> => record(() => ({ reference: new Scene().image(source()).reference }));
  const tagOf = (recording: Recording): string =>
    /:([0-9a-f]{12})@/.exec(recording.outputs.reference as string)?.[1] ?? "no tag";

  it("is known by the registry's host, a tag made of its source, and the digest that was pushed", async () => {
    const recording = await built();
    const digest = `sha256:${"d".repeat(64)}`;
    assert.equal(
      recording.outputs.reference,
      `registry.dev-registry.svc.cluster.local/web:${tagOf(recording)}@${digest}`,
    );
  });

  it("is built with the base images that it asks for, under the name it is pushed to, once the registry answers", async () => {
    const recording = await built();
    const build = one(recording, "RemoteImage");
    assert.equal(field(build, "name"), `192.0.2.1/web:${tagOf(recording)}`);
    assert.deepEqual(field(build, "build.buildArgs"), { NODE_IMAGE: "registry.example/node:24@sha256:4" });
    const push = one(recording, "RegistryImage");
    assert.equal(field(push, "name"), field(build, "name"));
    assert.ok(push.dependencies.includes(one(recording, "Deployment").urn));
  });

  it("is not taken away before the next one is there, as what runs it would be taken away with it", async () => {
    const recording = await built();
    for (const kind of ["RemoteImage", "RegistryImage"]) assert.equal(one(recording, kind).staysUntilReplaced, true);
    assert.equal(one(recording, "Deployment").staysUntilReplaced, false);
  });

  it("stays as it is with the same source, and is another one with another", async () => {
    const triggers = (recording: Recording): unknown[] =>
      ["RemoteImage", "RegistryImage"].map((kind) => field(one(recording, kind), "triggers"));
    const first = await built();
    assert.deepEqual(triggers(await built()), triggers(first));
    writeFileSync(join(source(), "Dockerfile"), "FROM scratch\nCOPY . .\n");
    const second = await built();
    assert.notEqual(tagOf(second), tagOf(first));
    assert.deepEqual(triggers(second), [{ source: tagOf(second) }, { source: tagOf(second) }]);
  });
});
