import assert from "node:assert/strict";
import { below, beyond, keysOf, merged, only, ownerOf, shown, valueAt, without } from "../../../drift/fields";

const CONTAINER = 'k:{"name":"web"}';
const OURS = { "f:spec": { "f:containers": { [CONTAINER]: { ".": {}, "f:image": {} } }, "f:rules": {} } };

describe("who wrote which field", () => {
  it("adds up what two have written", () => {
    const theirs = { "f:spec": { "f:replicas": {} }, "f:data": {} };
    assert.deepEqual(merged(OURS, theirs), { "f:spec": { ...OURS["f:spec"], "f:replicas": {} }, "f:data": {} });
  });

  it("takes a list with one owner for the owner of all that is in it", () => {
    assert.deepEqual(below(OURS, ["f:spec", "f:rules", "i:3", "f:verbs"]), {});
    assert.equal(below(OURS, ["f:spec", "f:replicas"]), undefined);
  });

  it("cuts a path out, and leaves it out, with parents that become empty", () => {
    const image = ["f:spec", "f:containers", CONTAINER, "f:image"];
    assert.deepEqual(only(OURS, image), { "f:spec": { "f:containers": { [CONTAINER]: { "f:image": {} } } } });
    assert.deepEqual(only(OURS, ["f:status"]), {});
    assert.deepEqual(without({ "f:spec": { "f:replicas": {} } }, ["f:spec", "f:replicas"]), {});
    assert.deepEqual(without(OURS, ["f:spec", "f:containers"]), { "f:spec": { "f:rules": {} } });
  });

  it("finds what one has beyond the other: a whole item, or a field", () => {
    const sidecar = 'k:{"name":"sidecar"}';
    const theirs = {
      "f:metadata": { "f:labels": { ".": {}, "f:a": {} } },
      "f:spec": {
        "f:containers": { [sidecar]: { ".": {}, "f:image": {} }, [CONTAINER]: { "f:image": {}, "f:args": {} } },
      },
    };
    assert.deepEqual(beyond(theirs, OURS), [
      ["f:metadata", "f:labels", "f:a"],
      ["f:spec", "f:containers", sidecar],
      ["f:spec", "f:containers", CONTAINER, "f:args"],
    ]);
    assert.deepEqual(beyond({ "f:spec": { "f:rules": { 'v:"a"': {} } } }, OURS), []);
    assert.deepEqual(beyond(OURS, OURS), []);
    assert.deepEqual(beyond({ "f:metadata": { "f:name": {} } }, undefined), [["f:metadata", "f:name"]]);
  });

  it("names the last of those who wrote a field", () => {
    const entry = (manager: string, time: string, field: string): Parameters<typeof ownerOf>[0][number] => ({
      manager,
      time,
      fieldsV1: { "f:spec": { [field]: {} } },
    });
    const owners = [entry("a", "2026-01-01", "f:x"), entry("b", "2026-01-03", "f:x"), entry("c", "2026-01-05", "f:y")];
    assert.equal(ownerOf(owners, ["f:spec", "f:x"])?.manager, "b");
    assert.equal(ownerOf(owners, ["f:spec", "f:z"]), undefined);
  });

  it("writes a path as people do", () => {
    assert.equal(shown(["f:spec", CONTAINER, "f:env", "i:2", 'v:"a"']), 'spec[name=web].env[2][="a"]');
    assert.equal(shown(["f:metadata", "f:labels", "f:a.b/c"]), 'metadata.labels["a.b/c"]');
  });

  it("finds the value at a path, also where a key has its default", () => {
    const object = { ports: [{ port: 80 }, { port: 81, protocol: "UDP" }], names: ["a"] };
    assert.deepEqual(valueAt(object, ["f:ports", 'k:{"port":80,"protocol":"TCP"}']), { port: 80 });
    assert.equal(valueAt(object, ["f:ports", 'k:{"port":81,"protocol":"TCP"}']), undefined);
    assert.equal(valueAt(object, ["f:names", 'v:"a"']), "a");
    assert.equal(valueAt(object, ["f:names", "f:a"]), undefined);
    assert.equal(valueAt(object, ["f:ports", "i:1", "f:protocol"]), "UDP");
  });

  it("knows the items of a list by the keys that somebody has written them under, and of others by none", () => {
    const set = { [CONTAINER]: {} };
    assert.deepEqual(
      [...(keysOf(set, [{ name: "web" }, { name: "new" }])?.keys() ?? [])],
      [CONTAINER, 'k:{"name":"new"}'],
    );
    assert.equal(keysOf({}, [{ name: "web" }]), undefined);
    assert.deepEqual([...(keysOf({ 'v:"a"': {} }, ["a", "b"])?.keys() ?? [])], ['v:"a"', 'v:"b"']);
  });
});
