import assert from "node:assert/strict";
import { UNKNOWN } from "../../policy/rules/manifest";
import { compileSelector, type Verdict } from "../../policy/rules/selector";

const LABELS = { app: "web", tier: "front" };
const expression = (key: unknown, operator: unknown, values?: unknown): object => ({
  matchExpressions: [{ key, operator, values }],
});

describe("label selectors", () => {
  const table: [string, unknown, unknown, Verdict][] = [
    ["nothing selects everything", undefined, LABELS, true],
    ["an empty selector selects everything", {}, LABELS, true],
    ["an empty selector selects pods without labels", {}, undefined, true],
    ["empty parts select everything", { matchLabels: {}, matchExpressions: [] }, LABELS, true],
    ["equal labels", { matchLabels: { app: "web" } }, LABELS, true],
    ["all labels are needed", { matchLabels: { app: "web", tier: "back" } }, LABELS, false],
    ["a label that is not there", { matchLabels: { zone: "a" } }, LABELS, false],
    [
      "a name that objects inherit is no label",
      { matchExpressions: [{ key: "toString", operator: "Exists" }] },
      LABELS,
      false,
    ],
    ["In", expression("app", "In", ["api", "web"]), LABELS, true],
    ["In without the value", expression("app", "In", ["api"]), LABELS, false],
    ["In without the label", expression("zone", "In", ["a"]), LABELS, false],
    ["NotIn", expression("app", "NotIn", ["api"]), LABELS, true],
    ["NotIn with the value", expression("app", "NotIn", ["web"]), LABELS, false],
    ["NotIn without the label", expression("zone", "NotIn", ["a"]), LABELS, true],
    ["Exists", expression("app", "Exists"), LABELS, true],
    ["Exists without the label", expression("zone", "Exists"), LABELS, false],
    ["DoesNotExist", expression("zone", "DoesNotExist"), LABELS, true],
    ["DoesNotExist with the label", expression("app", "DoesNotExist"), LABELS, false],
    ["both parts are needed", { matchLabels: { app: "web" }, ...expression("zone", "Exists") }, LABELS, false],
    ["an operator that is none", expression("app", "Gt", ["1"]), LABELS, false],
    ["In without values", expression("app", "In", []), LABELS, false],
    ["a selector that is a text", "app=web", LABELS, false],
    ["labels that are a text", { matchLabels: { app: "web" } }, "app=web", false],
    ["matchLabels that is a text", { matchLabels: "app" }, LABELS, false],
    ["expressions that are no list", { matchExpressions: {} }, LABELS, false],
    ["an unknown selector", UNKNOWN, LABELS, UNKNOWN],
    ["unknown labels", { matchLabels: { app: "web" } }, UNKNOWN, UNKNOWN],
    ["unknown labels under an empty selector", {}, UNKNOWN, true],
    ["an unknown value", { matchLabels: { app: "web" } }, { app: UNKNOWN }, UNKNOWN],
    [
      "an unknown value beside a mismatch",
      { matchLabels: { app: "web", tier: "x" } },
      { app: UNKNOWN, tier: "y" },
      false,
    ],
    ["Exists of an unknown value", expression("app", "Exists"), { app: UNKNOWN }, true],
    ["In of an unknown value", expression("app", "In", ["web"]), { app: UNKNOWN }, UNKNOWN],
    ["NotIn of an unknown value", expression("app", "NotIn", ["web"]), { app: UNKNOWN }, UNKNOWN],
    ["NotIn of unknown labels", expression("app", "NotIn", ["web"]), UNKNOWN, UNKNOWN],
  ];
  for (const [what, selector, labels, expected] of table) {
    it(what, () => assert.equal(compileSelector(selector)(labels), expected));
  }
});
