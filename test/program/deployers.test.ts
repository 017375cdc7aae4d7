import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { TOKEN, json } from "../unit/components/fakeCluster";
import { type Golden, differences, goldenOf, readGolden } from "./golden";
import { findingsIn, judge, unusedIn } from "../findings";
import { type Run, Stage } from "./stage";

const named = (...stacks: string[]): object => ({ "platform:deployers": stacks });
const REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/** What a change of the whole differs in from what is committed. */
const changed = (stack: string, run: Run): string[] => {
  assert.equal(run.error, undefined);
  return differences(readGolden(stack) as Golden, goldenOf(run));
};

describe("the program with deployers", function () {
  this.timeout(120_000);
  let stage: Stage;
  const path = process.env.PATH;
  before(async () => {
    stage = await Stage.set();
    const bin = join(stage.dir, "bin");
    mkdirSync(bin);
    // Says whose account it is asked for, and gives the one token that the cluster takes.
    const credential = JSON.stringify({ status: { token: TOKEN } });
    writeFileSync(join(bin, "kubectl"), `#!/bin/sh\necho "$*" >>"${bin}/asked"\necho '${credential}'\n`);
    chmodSync(join(bin, "kubectl"), 0o755);
    process.env.PATH = `${bin}${delimiter}${path}`;
  });
  after(async () => {
    process.env.PATH = path;
    await stage.strike();
  });

  it("adds the accounts and their fences to the stack that installs the cluster's services, and changes nothing of it", async () => {
    const run = await stage.run("dev", { config: named("qa", "prod") });
    const added = (name: string): boolean => /^(cluster-deployers|registry-stage-(role|binding)$)/.test(name);
    assert.ok(run.resources.filter(({ name }) => added(name)).length > 30);
    const rest = { ...run, resources: run.resources.filter(({ name }) => !added(name)) };
    assert.deepEqual(changed("dev", rest), []);
    const verdicts = judge("dev", run.resources);
    assert.deepEqual([findingsIn(verdicts), unusedIn(verdicts, "deployer")], [[], []]);
  });

  it("refuses them in a stack that uses these services, before anything is asked for", async () => {
    const { error, resources } = await stage.run("qa", { config: named("prod") });
    assert.match(error ?? "", /platform:deployers: found .* the stack that installs them makes these too/);
    assert.equal(resources.length, 1);
  });

  it("deploys as the stack's own where the cluster has one, and differs in nothing else", async () => {
    const claims: string[] = [];
    const entered = new Set<string>();
    stage.cluster.handlers["/api/v1/namespaces/platform-deployers/serviceaccounts/deployer-qa"] = json({});
    stage.cluster.handlers[REVIEW] = (request, response) => {
      let text = "";
      request.on("data", (data: Buffer) => (text += data.toString()));
      request.on("end", () => {
        const [, namespace = ""] = /"namespace":"([^"]+)"/.exec(text) ?? [];
        response.end(JSON.stringify({ status: { allowed: entered.has(namespace) } }));
      });
    };
    const concerns = ["secrets", "registry", "data", "edge", "apps", "monitoring"];
    for (const namespace of concerns.map((concern) => `qa-${concern}`)) {
      const url = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/deployer-qa`;
      stage.cluster.handlers[`${url}?fieldManager=platform&force=true`] = ({ method }, response) => {
        claims.push(`${method} ${namespace}`);
        entered.add(namespace);
        response.end("{}");
      };
    }
    const lines = changed("qa", await stage.run("qa"));
    const provider = lines.filter((line) => line.includes("pulumi:providers:kubernetes cluster"));
    assert.ok(
      provider.some((line) => line.includes("deployer-qa")),
      lines.join("\n"),
    );
    for (const line of provider) assert.match(line, /kubeconfig › users › 0 › user › exec/);
    const rest = lines.filter((line) => !provider.includes(line));
    assert.equal(rest.length, 2, rest.join("\n"));
    for (const line of rest) assert.match(line, /^\+ .* registry-stage-(role|binding)$/);
    assert.deepEqual(claims.sort(), concerns.map((concern) => `PATCH qa-${concern}`).sort());
  });
});
