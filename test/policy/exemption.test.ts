import assert from "node:assert/strict";
import { type Exemption, listed } from "../../policy/exemption";
import { EXEMPTIONS } from "../../policy/exemptions";
import { judgeObject, type Verdict } from "../../policy/judge";
import { formatFinding } from "../../policy/rules/finding";
import { RULE_IDS } from "../../policy/rules/index";
import { carry, container, only, template } from "./manifests";

const NOW = new Date("2030-01-01T12:00:00Z");

const EXEMPTION: Exemption = {
  rule: "non-root",
  target: { kind: "Deployment", namespace: "*-apps", name: "web" },
  reason: "the storage helper makes directories for other users",
  owner: "platform team",
  until: "2030-06-30",
};

function judge(day: string, exemption: Partial<Exemption> = {}): Verdict {
  const judgement = only("non-root", RULE_IDS, {
    exemptions: [{ ...EXEMPTION, ...exemption }],
    now: new Date(`${day}Z`),
  });
  const { manifest } = carry("Deployment", template([container({ securityContext: {} })]));
  return judgeObject({ manifest, pulumiName: "web" }, judgement);
}

describe("exemptions", () => {
  it("waive what they name, and say so", () => {
    const { findings, waived } = judge("2030-06-30T23:59:59");
    assert.deepEqual(findings, []);
    assert.equal(waived[0]?.by.reason, EXEMPTION.reason);
  });

  it("end with their last day, and say since when", () => {
    assert.equal(judge("2030-07-01T00:00:00").findings[0]?.note, "its exemption ran out on 2030-06-30, 1 day ago");
    const { findings, waived } = judge("2030-07-12T08:00:00");
    assert.equal(findings[0]?.note, "its exemption ran out on 2030-06-30, 12 days ago");
    assert.equal(findings[0]?.level, "mandatory");
    assert.deepEqual(waived, []);
  });

  for (const [what, exemption] of [
    ["another rule", { rule: "limits" }],
    ["another kind", { target: { kind: "StatefulSet" } }],
    ["another namespace", { target: { namespace: "apps-*" } }],
    ["a part of the name", { target: { name: "we" } }],
    ["a pattern that is not a wildcard", { target: { name: "w.b" } }],
    ["another container", { target: { container: "sidecar" } }],
  ] as [string, Partial<Exemption>][]) {
    it(`do not waive what they do not name: ${what}`, () => {
      const { findings } = judge("2030-01-01T00:00:00", exemption);
      assert.equal(findings.length, 1);
      assert.equal(findings[0]?.note, undefined);
    });
  }

  for (const [field, value] of [
    ["reason", ""],
    ["reason", undefined],
    ["owner", "  "],
    ["until", undefined],
    ["until", "soon"],
    ["until", "2030-02-30"],
    ["until", "2031-02-07"],
    ["rule", "everything"],
    ["target", {}],
    ["target", undefined],
    ["target", { host: "a" }],
    ["target", { name: "" }],
  ] as const) {
    it(`break a rule themselves with ${field} ${JSON.stringify(value) ?? "missing"}`, () => {
      const faulty = { ...EXEMPTION, [field]: value };
      const { exemptions, faulty: found } = listed([EXEMPTION, faulty], "here", NOW);
      assert.deepEqual(exemptions, [EXEMPTION]);
      assert.deepEqual(
        found.map(({ file, index, finding: { path, level } }) => [file, index, path, level]),
        [["here", 1, `exemptions[1].${field}`, "mandatory"]],
      );
    });
  }

  it("name all faults at once", () => {
    const faulty = { rule: "x", target: {} } as unknown as Exemption;
    const paths = listed([faulty, null as unknown as Exemption], "here", NOW).faulty.map(({ finding }) => finding.path);
    const fields = ["rule", "reason", "owner", "until", "target"].map((field) => `exemptions[0].${field}`);
    assert.deepEqual(paths, [...fields, "exemptions[1]"]);
  });

  it("that this project lists are sound", () =>
    assert.deepEqual(listed(EXEMPTIONS, "policy/exemptions.ts", new Date()).faulty, []));

  it("that are wrong cannot be waived in turn", () => {
    const { faulty } = listed([{ ...EXEMPTION, until: "2999-01-01" }], "here", NOW);
    const [message = ""] = faulty.map(({ finding }) => formatFinding(finding));
    assert.match(
      message,
      /^\[exemption\] Exemption non-root: exemptions\[0\]\.until is "2999-01-01" → correct it in here/,
    );
    assert.ok(!message.includes("exempt by"));
  });
});
