import assert from "node:assert/strict";
import { Faults } from "../../../components/lib/faults";

describe("faults", () => {
  it("stay silent while there are none", () => {
    const faults = new Faults();
    assert.equal(faults.any, false);
    assert.doesNotThrow(() => faults.throwIfAny("wrong", "mend it"));
  });

  it("come all at once, each with place, value and what is allowed", () => {
    const faults = new Faults();
    faults.add("a.b", undefined, "a text");
    faults.add("c", { d: 'quoted "e"' }, "a number");
    assert.equal(faults.any, true);
    assert.throws(() => faults.throwIfAny("the file is wrong", "Mend it."), {
      message: [
        "the file is wrong:",
        "  - a.b: found nothing, allowed is a text",
        '  - c: found {"d":"quoted \\"e\\""}, allowed is a number',
        "Mend it.",
      ].join("\n"),
    });
  });
});
