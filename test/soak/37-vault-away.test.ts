import assert from "node:assert/strict";
import type { Stand } from "../../checks/stand";
import { type Secret, askVault } from "../../checks/vault";
import { apply, broughtUp, eventually, kubectl, pulumi, standOf } from "../live/world";

const STACK = "dev";
const VAULT = `${STACK}-secrets`;

let stand: Stand;

const secret = async (namespace: string, name: string): Promise<Secret> =>
  JSON.parse(await kubectl(["get", "secret", name, "-n", namespace, "-o", "json"])) as Secret;

const sealed = async (): Promise<boolean> => (await askVault(stand, "GET", "sys/seal-status")).body.sealed ?? false;

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

describe("secrets: preview, refresh and update while Vault is away", function () {
  this.timeout(600_000);

  before(async () => {
    await broughtUp();
    stand = await standOf(STACK);
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
