import assert from "node:assert/strict";
import fc from "fast-check";
import { labels, selector } from "../../../components/lib/labels";

const identity = fc.record({
  environment: fc.constantFrom("dev", "qa", "prod"),
  component: fc.constantFrom("app", "redis"),
  name: fc.constantFrom("web", "cache"),
});

describe("labels", () => {
  it("include what selects", () => {
    fc.assert(fc.property(identity, (each) => assert.deepEqual({ ...labels(each), ...selector(each) }, labels(each))));
  });

  it("select by component and name, and by nothing that may change", () => {
    fc.assert(
      fc.property(identity, identity, (one, other) => {
        const same = one.component === other.component && one.name === other.name;
        assert.equal(JSON.stringify(selector(one)) === JSON.stringify(selector(other)), same);
      }),
    );
  });

  it("tell the environment and the owner", () => {
    const found = labels({ environment: "dev", component: "app", name: "web" });
    assert.equal(found["platform/environment"], "dev");
    assert.equal(found["app.kubernetes.io/managed-by"], "pulumi");
  });
});
