import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Result, broughtUp, copyOfProject, pulumi } from "./world";

const STACK = "dev";

/** A Deployment as an unwary hand would add it to index.ts; `container` and `namespace` say what is wrong with it. */
const workload = (container: string, namespace: string): string => `
  new k8s.apps.v1.Deployment("unwary", {
    metadata: { name: "unwary", namespace: ${namespace} },
    spec: {
      selector: { matchLabels: { app: "unwary" } },
      template: {
        metadata: { labels: { app: "unwary" } },
        spec: { containers: [{ name: "main", image: imageOf("busybox"), ${container} }] },
      },
    },
  }, { provider: opts.providers.kubernetes });
`;

const LIMITS = `resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "100m", memory: "32Mi" } }`;
const SECURE = `securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, seccompProfile: { type: "RuntimeDefault" } }`;
const APPS = `environment.namespace("apps")`;

const PACK = ["--policy-pack", "policy", "--policy-pack-config", `policy/config/${STACK}.json`];
const preview = (cwd: string, pack: readonly string[]): Promise<Result> =>
  pulumi(["preview", "-s", STACK, ...pack], { cwd });

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
  const copies: string[] = [];
  const copyWith = async (code: string): Promise<string> => {
    const copy = await copyOfProject();
    copies.push(copy);
    const file = path.join(copy, "index.ts");
    const original = fs.readFileSync(file, "utf8");
    const at = original.lastIndexOf("  return {");
    const needed = 'import * as k8s from "@pulumi/kubernetes";\n';
    fs.writeFileSync(file, `${needed}${original.slice(0, at)}${code}${original.slice(at)}`);
    return copy;
  };

  before(broughtUp);
  after(() => copies.forEach((copy) => fs.rmSync(copy, { recursive: true, force: true })));

  for (const { what, code, expected } of cases) {
    describe(what, () => {
      let previews: Record<"with the pack" | "bare", Result>;
      before(async () => {
        const [packed, bare] = await Promise.all([PACK, []].map(async (pack) => preview(await copyWith(code), pack)));
        assert.ok(packed && bare);
        previews = { "with the pack": packed, bare };
      });
      for (const gate of ["with the pack", "bare"] as const) {
        it(`is refused ${gate}`, () => {
          const { code: exit, all } = previews[gate];
          assert.notEqual(exit, 0, all);
          for (const part of expected) assert.match(all, part);
        });
      }
    });
  }

  it("the platform itself passes, with the pack", async () => {
    const { code, all } = await preview(await copyWith(""), PACK);
    assert.equal(code, 0, all);
  });
});
