import assert from "node:assert/strict";
import type { AdmissionPolicy } from "../../policy/admission/policies";
import type { Manifest } from "../../policy/rules/manifest";
import { isJudgedToken, subjectOf } from "../../policy/subject";
import { saidBy } from "../policy/admitted";
import { type Golden, readGolden } from "./golden";
import { STACKS } from "./stage";

const POLICY = "ValidatingAdmissionPolicy admission-";

describe("the API server's policies of the committed stacks", function () {
  this.timeout(60_000);
  for (const stack of STACKS) {
    it(`let everything in that ${stack} is made of`, () => {
      const entries = Object.entries((readGolden(stack) as Golden).resources);
      const policies = entries.flatMap(([key, { inputs }]): AdmissionPolicy[] => {
        const [, role] = key.split(POLICY);
        return role === undefined ? [] : [{ role, spec: (inputs as Pick<AdmissionPolicy, "spec">).spec, actions: [] }];
      });
      assert.ok(policies.some(({ role }) => role === "pods") && policies.some(({ role }) => role === "objects"));
      let asked = 0;
      for (const [key, { inputs, read }] of entries) {
        const [type = "", name = ""] = key.split(" ");
        const { metadata } = (inputs ?? {}) as { metadata?: { namespace?: string } };
        if (read === true || !isJudgedToken(type) || !metadata?.namespace?.startsWith(`${stack}-`)) continue;
        const { manifest: object } = subjectOf(type, name, inputs as Manifest);
        for (const policy of policies) {
          const found = saidBy(policy, { object, now: new Date() });
          if (found === undefined) continue;
          asked += 1;
          assert.deepEqual(found, [], key);
        }
      }
      assert.ok(asked > 30, `${asked} questions`);
    });
  }
});
