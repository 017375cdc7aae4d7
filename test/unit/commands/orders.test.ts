import assert from "node:assert/strict";
import { ordersOf, whoAsks, withOrders } from "../../../commands/orders";

describe("the options that want something of an update", () => {
  it("are read, with the reasons and who asks", () => {
    const { by, ...orders } = ordersOf({ "allow-lower": ["web=1.1.0 loses notes = bad"], retry: ["shop"] });
    assert.deepEqual(orders, { allowLower: { web: "1.1.0 loses notes = bad" }, retry: ["shop"] });
    assert.equal(by, whoAsks());
    assert.equal(whoAsks({ GITHUB_ACTOR: "anna" }), "anna");
  });

  it("leave alone what the environment wants where none is given", () => {
    const session = { PLATFORM_RELEASE: '{"retry":["web"]}' };
    assert.deepEqual(withOrders(session, ordersOf({})), session);
    const { PLATFORM_RELEASE: text = "" } = withOrders(session, ordersOf({ infra: true }));
    assert.deepEqual(JSON.parse(text), { infra: true, by: whoAsks() });
  });

  it("are refused without a reason", () => {
    for (const text of ["web", "web=", "web= ", "=why"])
      assert.throws(
        () => ordersOf({ "allow-early": [text] }),
        /^Error: --allow-early ".*": take --allow-early APP=REASON/,
      );
  });
});
