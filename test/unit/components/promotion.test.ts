import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { recordedImage } from "../../../components/lib/promotion";
import { answer, record } from "./recorder";

const IMAGE = "registry.example/web:1@sha256:1";

/** Asks for the image of "web" while the stack `dev` has these outputs; gives the image or the refusal. */
async function promoted(outputs: object, preview = false, host = "registry.example"): Promise<string | undefined> {
  let found: string | undefined;
  await record(
    async () => {
      const image = recordedImage("web", "dev", host) as pulumi.Output<string> & { promise(): Promise<string> };
      found = await image.promise().catch((error: Error) => error.message);
    },
    {
      stack: "qa",
      preview,
      newResource: (args) => {
        if (args.type !== "pulumi:pulumi:StackReference") return answer(args);
        assert.equal((args.inputs as { name: string }).name, "organization/platform/dev");
        return { id: args.name, state: { name: "dev", outputs, secretOutputNames: [] } };
      },
    },
  );
  return found;
}

describe("an image of an earlier stage", () => {
  it("is the one that the stage recorded", async () => {
    assert.equal(await promoted({ releases: { web: { image: IMAGE } } }), IMAGE);
  });

  it("is left open by a preview where there is none yet", async () => {
    assert.equal(await promoted({}, true), undefined);
    assert.equal(await promoted({ releases: { web: { image: IMAGE } } }, true), IMAGE);
  });

  it("is refused where this environment's nodes cannot pull it, by an update only", async () => {
    const outputs = { releases: { web: { image: IMAGE } } };
    assert.match(
      (await promoted(outputs, false, "registry.qa")) ?? "",
      /cannot pull: they log in to registry\.qa only/,
    );
    assert.equal(await promoted(outputs, true, "registry.qa"), IMAGE);
  });

  it("is refused where there is none, with the command that records it", async () => {
    const refusal = /^stack dev has recorded no image of "web": run pulumi up -s dev first$/;
    for (const outputs of [{}, { releases: {} }, { releases: { other: { image: IMAGE } } }, { releases: { web: {} } }])
      assert.match((await promoted(outputs)) ?? "", refusal, JSON.stringify(outputs));
  });
});
