import assert from "node:assert/strict";
import type { Stand } from "../../checks/stand";
import { type Secret, type VaultAnswer, askVault, decodedData, deployerToken, readKept } from "../../checks/vault";
import { apply, broughtUp, eventually, kubectl, pulumi, standOf } from "./world";

const STACK = "dev";
const VAULT = `${STACK}-secrets`;

let stand: Stand;

const secret = async (namespace: string, name: string): Promise<Secret> =>
  JSON.parse(await kubectl(["get", "secret", name, "-n", namespace, "-o", "json"])) as Secret;

const sealed = async (): Promise<boolean> => (await askVault(stand, "GET", "sys/seal-status")).body.sealed ?? false;

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

const DENIED = {
  apiVersion: "crd.projectcalico.org/v1",
  kind: "NetworkPolicy",
  metadata: { name: "unreachable", namespace: VAULT },
  spec: {
    order: 1,
    selector: "app.kubernetes.io/name == 'vault'",
    types: ["Ingress"],
    ingress: [{ action: "Deny", protocol: "TCP", destination: { ports: [8200] } }],
  },
};

let seal = "";

/** How Vault can be away, and how it comes back. */
const FAULTS: Readonly<Record<string, { bring: () => Promise<unknown>; mend: () => Promise<unknown> }>> = {
  absent: {
    bring: async () => {
      await kubectl(["scale", "statefulset", "vault", "-n", VAULT, "--replicas=0"]);
      await kubectl(["wait", "--for=delete", "pod/vault-0", "-n", VAULT, "--timeout=60s"]);
    },
    mend: () => kubectl(["scale", "statefulset", "vault", "-n", VAULT, "--replicas=1"]),
  },
  // Packets to it are dropped: nobody answers, and nobody refuses.
  unreachable: {
    bring: async () => {
      await apply(DENIED);
      await eventually(() => assert.rejects(sealed()), 30_000);
    },
    mend: () => kubectl(["delete", "networkpolicies.crd.projectcalico.org", "unreachable", "-n", VAULT]),
  },
  sealed: {
    bring: async () => {
      const found = await secret(VAULT, "vault-seal");
      seal = JSON.stringify({ ...found, metadata: { name: found.metadata.name, namespace: VAULT } });
      await kubectl(["delete", "secret", "vault-seal", "-n", VAULT]);
      await kubectl(["delete", "pod", "vault-0", "-n", VAULT, "--wait=true"]);
      await eventually(async () => {
        const logs = await kubectl(["logs", "vault-0", "-n", VAULT, "-c", "keeper"]);
        assert.match(logs, /the Secret vault-seal is gone, but the data are in use/);
        // Whoever cannot serve is not asked.
        await assert.rejects(sealed());
      }, 60_000);
    },
    mend: async () => {
      await kubectl(["create", "-f", "-"], { input: seal });
      await eventually(async () => assert.equal(await sealed(), false), 60_000);
    },
  },
};

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

  const urns = async (): Promise<string[]> => {
    const { out } = await pulumi(["stack", "export", "-s", STACK]);
    const { deployment } = JSON.parse(out) as { deployment: { resources: { urn: string }[] } };
    return deployment.resources.map(({ urn }) => urn).sort();
  };

  for (const [state, { bring, mend }] of Object.entries(FAULTS))
    it(`${state}, lets a preview through, and a refresh end with its address while the state keeps everything`, async () => {
      const before = await urns();
      try {
        await bring();
        const preview = await pulumi(["preview", "-s", STACK]);
        assert.equal(preview.code, 0, preview.all);
        const start = Date.now();
        const refresh = await pulumi(["refresh", "-s", STACK, "--yes", "--skip-preview"]);
        console.log(`      a refresh ended after ${Math.round((Date.now() - start) / 1000)} s`);
        assert.notEqual(refresh.code, 0);
        assert.match(refresh.all, new RegExp((stand.target.vaults?.[STACK]?.url ?? "no url").replaceAll(".", "\\.")));
        assert.deepEqual(await urns(), before);
      } finally {
        await mend();
        await kubectl(["rollout", "status", "statefulset/vault", "-n", VAULT, "--timeout=90s"]);
      }
    });

  it("is put right by an update after what the refreshes have seen", async () => {
    const { code, all } = await pulumi(["up", "-s", STACK, "--yes", "--skip-preview"]);
    assert.equal(code, 0, all);
  });
});
