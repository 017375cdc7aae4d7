import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { explained, program } from "../../../components/lib/program";

describe("a program that fails", () => {
  it("says what it refuses and nothing else", async () => {
    const failing = program(() => Promise.reject(new Error("the storage is too small")));
    await assert.rejects(
      failing,
      (error) => pulumi.RunError.isInstance(error) && error.message === "the storage is too small",
    );
  });

  it("carries no stack, which Pulumi would render for half a minute", async () => {
    await assert.rejects(program(() => Promise.reject(new Error("no")))(), (error: Error) => error.stack === undefined);
  });

  it("says of a fault of the code where it is", () => {
    assert.match(
      explained(new TypeError("x is not a function")),
      /^TypeError: x is not a function\n\s+at .*programErrors\.test\.ts/,
    );
  });

  it("does not print the resources that hang on an error", () => {
    const error = new pulumi.ResourceError("wrong option", {} as pulumi.Resource);
    assert.match(explained(error), /wrong option\n\s+at /);
    assert.ok(explained(error).length < 2000);
  });

  it("lets a result through", async () => {
    assert.equal(await program(() => Promise.resolve(7))(), 7);
  });
});
