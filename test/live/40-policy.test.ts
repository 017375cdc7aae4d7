import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { NAME, copyOfProject, platform, pulumi } from "./world";

const STACK = "dev";

/** A Deployment as an unwary hand would add it to index.ts; `container` and `namespace` say what is wrong with it. */
const workload = (container: string, namespace: string): string => `
  new k8s.apps.v1.Deployment("unwary", {
    metadata: { name: "unwary", namespace: ${namespace} },
    spec: {
      selector: { matchLabels: { app: "unwary" } },
      template: {
        metadata: { labels: { app: "unwary" } },
        spec: { containers: [{ name: "main", image: image(target, "busybox"), ${container} }] },
      },
    },
  }, { provider: cluster });
`;

const LIMITS = `resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "100m", memory: "32Mi" } }`;
const SECURE = `securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, seccompProfile: { type: "RuntimeDefault" } }`;
const APPS = `environment.namespace("apps")`;

const cases = [
  {
    what: "a root container",
    code: workload(`${LIMITS}, securityContext: { runAsUser: 0 }`, APPS),
    expected: [/non-root/, /unwary/, /container "main"/, /runAs/],
  },
  {
    what: "a container without limits",
    code: workload(SECURE, APPS),
    expected: [/limits/, /unwary/, /container "main"/, /resources/],
  },
  {
    what: "a workload that no policy selects",
    code: workload(`${LIMITS}, ${SECURE}`, `"default"`),
    expected: [/network/i, /unwary/],
  },
];

describe("policy: a preview fails and teaches, with the pack and without", function () {
  this.timeout(600_000);
  let copy = "";
  let original = "";

  before(async () => {
    const { code, all } = await platform("up", ["--name", NAME]);
    assert.equal(code, 0, all);
    copy = await copyOfProject();
    original = fs.readFileSync(path.join(copy, "index.ts"), "utf8");
  });

  after(() => fs.rmSync(copy, { recursive: true, force: true }));

  for (const { what, code, expected } of cases) {
    for (const gate of ["with the pack", "bare"] as const) {
      it(`${what}, ${gate}`, async () => {
        const at = original.lastIndexOf("  return {");
        fs.writeFileSync(path.join(copy, "index.ts"), `${original.slice(0, at)}${code}${original.slice(at)}`);
        const pack =
          gate === "bare" ? [] : ["--policy-pack", "policy", "--policy-pack-config", `policy/config/${STACK}.json`];
        const preview = await pulumi(["preview", "-s", STACK, ...pack], { cwd: copy });
        assert.notEqual(preview.code, 0, preview.all);
        for (const part of expected) assert.match(preview.all, part);
      });
    }
  }

  it("the platform itself passes, with the pack", async () => {
    fs.writeFileSync(path.join(copy, "index.ts"), original);
    const preview = await pulumi(
      ["preview", "-s", STACK, "--policy-pack", "policy", "--policy-pack-config", `policy/config/${STACK}.json`],
      { cwd: copy },
    );
    assert.equal(preview.code, 0, preview.all);
  });
});
