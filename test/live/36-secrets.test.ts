import assert from "node:assert/strict";
import type { Stand } from "../../checks/stand";
import { type Secret, type VaultAnswer, askVault, decodedData, deployerToken, readKept } from "../../checks/vault";
import { broughtUp, eventually, kubectl, pulumi, standOf } from "./world";

const STACK = "dev";
const VAULT = `${STACK}-secrets`;

let stand: Stand;

const secret = async (namespace: string, name: string): Promise<Secret> =>
  JSON.parse(await kubectl(["get", "secret", name, "-n", namespace, "-o", "json"])) as Secret;

/** Made of the seal's key, as the keeper makes it, and revoked when the work is done. */
async function asRoot(work: (root: string) => Promise<unknown>): Promise<void> {
  const { key = "" } = decodedData(await secret(VAULT, "vault-seal"));
  const ask = async (method: string, url: string, body: object): Promise<Readonly<Record<string, string>>> => {
    const answer = await askVault(stand, method, `sys/generate-root/${url}`, undefined, body);
    return answer.body as Readonly<Record<string, string>>;
  };
  await ask("DELETE", "attempt", {});
  const { otp = "", nonce } = await ask("PUT", "attempt", {});
  const { encoded_token: encoded = "" } = await ask("PUT", "update", { key, nonce });
  const pad = Buffer.from(otp);
  const root = Buffer.from(Buffer.from(encoded, "base64").map((byte, index) => byte ^ (pad[index] ?? 0))).toString();
  try {
    await work(root);
  } finally {
    await askVault(stand, "POST", "auth/token/revoke-self", root, {});
  }
}

describe("secrets: kept in Vault, synced to where they are used", function () {
  this.timeout(600_000);
  let token = "";

  before(async () => {
    await broughtUp();
    // A suite before may have left another version of the application, and an emptied Docker: a refresh holds the images that
    // it had for gone, and the next update builds them again.
    const { code, all } = await pulumi(["up", "-s", STACK, "--yes", "--skip-preview", "--refresh"]);
    assert.equal(code, 0, all);
    stand = await standOf(STACK);
    token = await deployerToken(stand);
  });

  it("lets the deployer own what is in the store, and not its own rights, the seal or the audit log", async () => {
    for (const [method, url, body] of [
      ["POST", "sys/policies/acl/deployer", { policy: "" }],
      ["POST", "auth/kubernetes/role/deployer", { token_policies: ["root"] }],
      ["PUT", "sys/seal", {}],
      ["DELETE", "sys/audit/stdout", undefined],
      ["POST", "sys/auth/userpass", { type: "userpass" }],
      ["GET", "sys/storage/raft/snapshot", undefined],
    ] as const)
      assert.equal((await askVault(stand, method, url, token, body)).status, 403, `${method} ${url}`);
  });

  it("[000.12] lets what was changed in Vault stay changed, and brings it where it is used", async () => {
    const before = await readKept(stand, token, "registry/pull");
    const metadata = (await secret(`${STACK}-apps`, "regcred")).metadata.name;
    const changed = { ...before, pullPassword: `${before.pullPassword}-changed` };
    const put = (data: object): Promise<VaultAnswer> =>
      askVault(stand, "POST", "kv/data/registry/pull", token, { data });
    assert.equal((await put(changed)).status, 200);
    try {
      for (const args of [
        ["refresh", "-s", STACK, "--yes", "--skip-preview"],
        ["up", "-s", STACK, "--yes", "--skip-preview", "--expect-no-changes"],
      ]) {
        const { code, all } = await pulumi(args);
        assert.equal(code, 0, all);
      }
      assert.deepEqual(await readKept(stand, token, "registry/pull"), changed);
      await eventually(async () => {
        const text = decodedData(await secret(`${STACK}-apps`, metadata))[".dockerconfigjson"];
        assert.ok(text?.includes(changed.pullPassword), "the pull secret lags behind");
      }, 90_000);
    } finally {
      await put(before);
    }
  });

  it("[004.12] unseals within a minute after all its pods were deleted at once, and goes on syncing", async () => {
    await kubectl(["delete", "pod", "-n", VAULT, "-l", "app.kubernetes.io/name=vault", "--wait=true"]);
    const start = Date.now();
    await eventually(
      async () => assert.equal((await askVault(stand, "GET", "sys/health?standbyok=true")).status, 200),
      60_000,
    );
    console.log(`      serving again ${Math.round((Date.now() - start) / 1000)} s after its pods were gone`);
    await kubectl(["delete", "secret", "regcred", "-n", `${STACK}-apps`]);
    await eventually(() => secret(`${STACK}-apps`, "regcred"), 60_000);
  });

  it("[001.16] goes on when every token that was issued has ended: refresh, update and syncing", async () => {
    await asRoot(async (root) => {
      const { status } = await askVault(stand, "PUT", "sys/leases/revoke-prefix/auth/kubernetes/login", root, {});
      assert.equal(status, 204);
    });
    assert.equal((await askVault(stand, "GET", "auth/token/lookup-self", token)).status, 403);
    for (const args of [["refresh"], ["up", "--expect-no-changes"]]) {
      const { code, all } = await pulumi([...args, "-s", STACK, "--yes", "--skip-preview"]);
      assert.equal(code, 0, all);
    }
    await kubectl(["delete", "secret", "regcred", "-n", `${STACK}-apps`]);
    await eventually(() => secret(`${STACK}-apps`, "regcred"), 60_000);
  });
});
