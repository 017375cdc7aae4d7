import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readKubeconfig } from "../../../components/lib/kubeconfig";
import { registryReader } from "../../../components/lib/registryAccess";
import type { RegistryClient } from "../../../components/lib/registryClient";
import type { Target } from "../../../components/lib/target";
import { FakeCluster } from "./fakeCluster";

const SECRET = "/api/v1/namespaces/dev-registry/secrets/regcred";
const HOST = "registry.dev-registry.svc.cluster.local";

describe("the registry of another environment", () => {
  let dir: string;
  let cluster: FakeCluster;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "access-"));
    cluster = await FakeCluster.start(dir);
  });
  after(async () => {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const place = { host: HOST, pushHost: "unused", certificateFile: "", keyFile: "" };
  const target = (registries: Target["registries"] = {}): Target => ({ description: "tests", images: {}, registries });
  const open = (registries?: Target["registries"], env: NodeJS.ProcessEnv = {}): Promise<RegistryClient | undefined> =>
    registryReader(target(registries), readKubeconfig(cluster.kubeconfig()), env)("dev");
  const holds = (auths: object): void => {
    const data = Buffer.from(JSON.stringify({ auths })).toString("base64");
    cluster.handlers[SECRET] = (_, response) => response.end(JSON.stringify({ data: { ".dockerconfigjson": data } }));
  };
  const loginOf = (client: RegistryClient | undefined): string =>
    Buffer.from((client as unknown as { authorization: string }).authorization.slice(6), "base64").toString();

  it("is known by nobody where the cluster has no login for it", async () => {
    delete cluster.handlers[SECRET];
    assert.equal(await open(), undefined);
  });

  it("is read with the login that its pods pull with, at the address that this machine reaches", async () => {
    holds({ [HOST]: { username: "pull", password: "p" } });
    const client = await open({ dev: { ...place, pullHost: "192.0.2.1" } });
    assert.deepEqual([client?.host, loginOf(client)], ["192.0.2.1", "pull:p"]);
  });

  it("is where its pods find it, unless told otherwise", async () => {
    holds({ [HOST]: { username: "pull", password: "p" } });
    assert.equal((await open())?.host, HOST);
    assert.equal((await open({ dev: { ...place, host: "registry.example" } }))?.host, "registry.example");
  });

  it("may be on another cluster, with a login from the environment", async () => {
    delete cluster.handlers[SECRET];
    const env = { PLATFORM_REGISTRY_DEV_USER: "u", PLATFORM_REGISTRY_DEV_PASSWORD: "p" };
    const client = await open({ dev: place }, env);
    assert.deepEqual([client?.host, loginOf(client)], [HOST, "u:p"]);
    await assert.rejects(open({}, env), /nothing says where the registry of dev is: name it under registries\.dev/);
  });

  it("takes no half of a login", async () => {
    const half = { PLATFORM_REGISTRY_DEV_USER: "u" };
    await assert.rejects(open({ dev: place }, half), /PLATFORM_REGISTRY_DEV_PASSWORD is not set$/);
    holds({ [HOST]: { username: "pull" } });
    await assert.rejects(open(), /^Error: the Secret dev-registry\/regcred holds no user and password$/);
  });
});
