import assert from "node:assert/strict";
import { type Judgement, judgeObject, judgeSet } from "../../policy/judge";
import { formatFinding } from "../../policy/rules/finding";
import { UNKNOWN } from "../../policy/rules/manifest";
import { RULE_IDS } from "../../policy/rules/index";
import { carry, container, only, template } from "./manifests";

const JUDGEMENT = only("non-root", RULE_IDS);
const subject = (containers: Record<string, unknown>[], metadata = {}): { manifest: object; pulumiName: string } => ({
  manifest: carry("Deployment", template(containers), metadata).manifest,
  pulumiName: "web-1",
});
const messages = (each: ReturnType<typeof subject>, change: Partial<Judgement> = {}): string[] =>
  judgeObject({ ...each, manifest: { ...each.manifest } }, { ...JUDGEMENT, ...change }).findings.map(formatFinding);

describe("a finding's message", () => {
  it("names rule, object, container, field, what is there, the fix and the controls", () => {
    assert.deepEqual(messages(subject([container({ securityContext: {} })])), [
      '[non-root] Deployment dev-apps/web, container "api": ' +
        "spec.template.spec.containers[0].securityContext.runAsNonRoot is not set → set it to true " +
        "(allowed: runAsNonRoot true for every container, set there or on the pod, and no runAsUser 0; " +
        "psa:runAsNonRoot, cis:5.2.7, nsa:non-root-containers)\n" +
        "    in spec.template.spec.containers[0]:\n" +
        "      securityContext:\n" +
        "        runAsNonRoot: true\n" +
        '    exempt by an entry for "non-root" in policy/exemptions.ts',
    ]);
  });

  it("uses Pulumi's name where the object's is generated or unknown", () => {
    const generated = { name: "web-1-5f2c", annotations: { "pulumi.com/autonamed": "true" } };
    for (const metadata of [{ name: undefined }, { name: UNKNOWN }, generated]) {
      const [message] = messages(subject([container({ securityContext: {} })], metadata));
      assert.match(message ?? "", /^\[non-root\] Deployment dev-apps\/web-1,/);
    }
  });

  it("speaks of pods, not of containers, where no container is at fault", () => {
    const { manifest, pulumiName } = subject([container()]);
    const [verdict] = judgeSet([{ manifest: { ...manifest }, pulumiName }], only("network-policy", RULE_IDS));
    assert.match(
      formatFinding(verdict!.findings[0]!),
      /^\[network-policy\] Deployment dev-apps\/web: spec\.template\.metadata\.labels \{app: web\} is selected by no/,
    );
  });
});

describe("levels", () => {
  const unknown = subject([container({ securityContext: { runAsNonRoot: UNKNOWN } })]);
  const levels = (change: Partial<Judgement>, each = unknown): string[] =>
    judgeObject({ ...each, manifest: { ...each.manifest } }, { ...JUDGEMENT, ...change }).findings.map(
      ({ level }) => level,
    );

  it("report what a preview cannot know, and fail it where the environment says so", () => {
    assert.deepEqual(levels({}), ["advisory"]);
    assert.deepEqual(levels({ unknowns: "fail" }), ["mandatory"]);
  });

  it("are each rule's own", () => {
    const faulty = subject([container({ securityContext: {} })]);
    assert.deepEqual(levels({ levels: { ...JUDGEMENT.levels, "non-root": "advisory" } }, faulty), ["advisory"]);
    assert.deepEqual(levels({ levels: { ...JUDGEMENT.levels, "non-root": "disabled" } }, faulty), []);
  });
});
