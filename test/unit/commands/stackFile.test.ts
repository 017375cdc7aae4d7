import assert from "node:assert/strict";
import { deployersIn, keepsData, withDeployers, withMode } from "../../../commands/stackFile";

const DEV = `config:
  # Built here.
  platform:build: "true"
  platform:clusterServices: install
  platform:deployers: [qa, prod]
  platform:secrets:
    replicas: 1
`;
const LISTED = DEV.replace("[qa, prod]", "\n    - qa\n    - prod");
const NONE = DEV.replace(/.*deployers.*\n/, "");

describe("a stack's file", () => {
  it("keeps the data of its stack unless it says that they may go", () => {
    assert.deepEqual(["dev", "qa", "prod"].map(keepsData), [false, false, true]);
  });

  it("says who installs the cluster's services, and is else left as it was written", () => {
    assert.equal(withMode(DEV, "use"), DEV.replace("install", "use"));
    assert.equal(withMode("config:\n  a: b\n", "install"), "config:\n  platform:clusterServices: install\n  a: b\n");
  });

  it("loses its deployers however they are listed, and nothing else", () => {
    for (const text of [DEV, LISTED, NONE]) assert.equal(withDeployers(text, []), NONE);
  });

  it("gets deployers beside what installs them, in place of others", () => {
    for (const text of [DEV, LISTED, NONE]) assert.equal(withDeployers(text, ["qa", "prod"]), DEV);
    assert.deepEqual(deployersIn(withDeployers(DEV, ["qa", "dev"])), ["qa", "dev"]);
  });

  it("is read whether it names deployers or not", () => {
    assert.deepEqual([DEV, LISTED, NONE, ""].map(deployersIn), [["qa", "prod"], ["qa", "prod"], [], []]);
  });
});
