import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deployingSession } from "../../../commands/deployingSession";
import { readKubeconfig } from "../../../components/lib/kubeconfig";
import { FakeCluster, TOKEN, json } from "../components/fakeCluster";

const account = (stack: string): string => `/api/v1/namespaces/platform-deployers/serviceaccounts/deployer-${stack}`;

describe("the session of whoever deploys a stack", () => {
  let dir: string;
  let cluster: FakeCluster;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "deploying-"));
    cluster = await FakeCluster.start(dir);
    for (const stack of ["dev", "qa"]) cluster.handlers[account(stack)] = json({});
  });
  after(async () => {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  const session = (): Record<string, string> => ({
    KUBECONFIG: cluster.kubeconfig().KUBECONFIG ?? "",
    PLATFORM_TARGET: join(dir, "target.json"),
    PLATFORM_CONTEXT: "",
    PATH: "/tools",
  });

  it("is the stack's deployer, by a kubeconfig of its own without a credential, and says who asks for its tokens", async () => {
    const found = await deployingSession(session(), "qa");
    const file = join(dir, "deployer-qa.kubeconfig");
    assert.deepEqual(found, {
      ...session(),
      KUBECONFIG: file,
      PLATFORM_MINTER: session().KUBECONFIG,
      PLATFORM_STACK: "qa",
    });
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(!readFileSync(file, "utf8").includes(TOKEN));
    const { server, context } = readKubeconfig({ KUBECONFIG: file });
    assert.deepEqual([server, context], [cluster.url, "fake-admin"]);
  });

  it("stays as it is where the cluster has none for the stack, and where the stack installs the cluster's services", async () => {
    for (const stack of ["prod", "dev"]) {
      assert.deepEqual(await deployingSession(session(), stack), session());
      assert.equal(existsSync(join(dir, `deployer-${stack}.kubeconfig`)), false);
    }
  });
});
