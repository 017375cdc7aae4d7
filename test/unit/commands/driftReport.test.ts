import assert from "node:assert/strict";
import { driftSummary, driftText } from "../../../commands/driftReport";
import type { Drift, Findings } from "../../../drift";

const base = { urn: "urn", kind: "Deployment", namespace: "dev-apps", name: "web" };
const drift: Drift[] = [
  {
    ...base,
    change: "changed",
    path: "spec.replicas",
    wanted: 1,
    found: 3,
    manager: "kubectl",
    time: "2026-01-02T03:04:05Z",
  },
  { ...base, change: "added", path: "metadata.labels.a|b", found: "@someone <b>" },
  { ...base, change: "removed", path: "spec.x", wanted: "y" },
  { ...base, urn: "other", name: "gone", change: "deleted" },
];
const findings = (more: Partial<Findings>): Findings => ({
  compared: 5,
  drift: [],
  undecided: [],
  left: [],
  unknown: [],
  ...more,
});

describe("a report of drift", () => {
  it("says of each difference which object and field, what was wanted and found, by whom and when", () => {
    assert.deepEqual(driftText("dev", findings({ drift })).split("\n"), [
      "Deployment dev-apps/web: spec.replicas is 3, where the program has 1 (by kubectl at 2026-01-02T03:04:05Z)",
      "Deployment dev-apps/web: metadata.labels.a|b is @someone <b>, which the program does not have (by whom is not recorded)",
      "Deployment dev-apps/web: spec.x is gone, where the program has y (by whom is not recorded)",
      "Deployment dev-apps/gone is gone (by whom is not recorded)",
      "dev: 2 of 5 objects differ from what the stack wants",
      "npm run up -- --stack dev puts it back",
    ]);
  });

  it("says that all is well only where everything was looked at", () => {
    assert.equal(driftText("dev", findings({})), "dev: all 5 objects are as the stack wants them");
    const undecided = [{ kind: "Vault", name: "https://vault", reason: "sealed" }];
    const text = driftText("dev", findings({ undecided, unknown: ["vault:x:Y"] }));
    assert.match(text, /^Vault https:\/\/vault could not be compared: sealed$/m);
    assert.match(text, /^not compared: everything of type vault:x:Y$/m);
    assert.match(text, /^dev: 1 could not be looked at$/m);
  });

  it("lets no name or value act as markup, and stays short enough for an issue", () => {
    const text = driftSummary("dev", findings({ drift }));
    assert.match(text, /^### Drift of `dev`: 2 of 5 objects differ/);
    assert.match(text, /\| Deployment dev-apps\/web \| spec.replicas \| .* \| kubectl \| 2026-01-02T03:04:05Z \|/);
    assert.doesNotMatch(text, /<b>|@someone|a\|b/);
    const many = Array.from({ length: 2000 }, () => drift).flat();
    assert.ok(driftSummary("dev", findings({ drift: many })).length < 65_536);
  });
});
