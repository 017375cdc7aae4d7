import assert from "node:assert/strict";
import { NO_ORDERS, ordersText, readOrders } from "../../../../components/lib/releases/orders";

describe("what is wanted of an update", () => {
  const APPS = ["web", "shop"];

  it("is nothing where nothing is said", () => {
    for (const text of [undefined, ""]) assert.deepEqual(readOrders(text, APPS), NO_ORDERS);
  });

  it("is read as it was written", () => {
    const orders = {
      allowLower: { web: "1.1.0 loses notes" },
      allowEarly: { shop: "an urgent fix" },
      retry: ["web"],
      failed: { web: { image: "i", reason: "it crashed" } },
      rollBack: { shop: "slow" },
      infra: true,
      by: "anna",
      check: true,
    };
    assert.deepEqual(readOrders(ordersText(orders), APPS), orders);
  });

  it("is refused as a whole, with each fault", () => {
    const text = JSON.stringify({
      retry: ["other"],
      allowLower: { web: " " },
      failed: { web: {} },
      check: 1,
      more: [],
    });
    assert.throws(
      () => readOrders(text, APPS),
      (error: Error) => {
        for (const fault of [
          /PLATFORM_RELEASE\.retry: found "other", allowed is one of web, shop/,
          /PLATFORM_RELEASE\.allowLower: .* a reason for each application/,
          /PLATFORM_RELEASE\.failed: .* an image and a reason/,
          /PLATFORM_RELEASE\.check: found 1, allowed is true or false/,
          /PLATFORM_RELEASE\.more: .* one of allowLower, /,
        ])
          assert.match(error.message, fault);
        return true;
      },
    );
    for (const text of ["{", "[]", "1"]) assert.throws(() => readOrders(text, APPS), /an object in JSON/);
  });
});
