import assert from "node:assert/strict";
import { type VaultObject, vaultDifferences, vaultObjects } from "../../../drift/vault";

const STATE = [
  { urn: "provider", type: "pulumi:providers:vault", custom: true, inputs: { address: "https://vault" } },
  { urn: "policy", type: "vault:index/policy:Policy", custom: true, inputs: { name: "app", policy: "path {}" } },
  {
    urn: "role",
    type: "vault:kubernetes/authBackendRole:AuthBackendRole",
    custom: true,
    inputs: {
      backend: "kubernetes",
      roleName: "app",
      boundServiceAccountNames: ["b", "a"],
      tokenTtl: 60,
      __defaults: [],
    },
  },
  {
    urn: "mount",
    type: "vault:index/mount:Mount",
    custom: true,
    inputs: { path: "kv", type: "kv", options: { version: "2" } },
  },
  { urn: "value", type: "vault:kv/secretV2:SecretV2", custom: true, inputs: { mount: "kv", name: "x" } },
  { urn: "other", type: "vault:index/audit:Audit", custom: true, inputs: {} },
];

const { address, objects, unknown } = vaultObjects(STATE);
const object = (urn: string): VaultObject => {
  const found = objects.find((each) => each.urn === urn);
  assert.ok(found);
  return found;
};
const differ = (urn: string, data: object): ReturnType<typeof vaultDifferences> =>
  vaultDifferences(object(urn), () => Promise.resolve({ status: 200, headers: {}, body: JSON.stringify({ data }) }));
const answer = (status: number, body: string): ReturnType<typeof vaultDifferences> =>
  vaultDifferences(object("mount"), () => Promise.resolve({ status, headers: {}, body }));

describe("what a stack has inside Vault", () => {
  it("is looked at where it is, but for the values, which are Vault's; what nobody knows to find is named", () => {
    assert.equal(address, "https://vault");
    assert.deepEqual(
      objects.map(({ url }) => url),
      ["sys/policies/acl/app", "auth/kubernetes/role/app", "sys/mounts/kv"],
    );
    assert.deepEqual(unknown, ["vault:index/audit:Audit"]);
    assert.equal(vaultObjects(STATE.slice(1)).address, undefined);
  });

  it("is the same where Vault says so in its own way", async () => {
    assert.deepEqual(await differ("policy", { name: "app", policy: "path {}\n" }), []);
    assert.deepEqual(
      await differ("role", { bound_service_account_names: ["a", "b"], token_ttl: 60, token_type: "x" }),
      [],
    );
    assert.deepEqual(await differ("mount", { type: "kv", options: { version: "2" } }), []);
  });

  it("differs by field", async () => {
    assert.deepEqual(await differ("policy", { policy: "path more {}" }), [
      { field: "policy", wanted: "path {}", found: "path more {}" },
    ]);
    const [difference] = (await differ("role", { bound_service_account_names: ["*"], token_ttl: 60 })) as object[];
    assert.deepEqual(difference, { field: "bound_service_account_names", wanted: ["b", "a"], found: ["*"] });
    assert.equal((await differ("mount", { type: "kv", options: { version: "1" } })).length, 1);
  });

  it("is gone where Vault has nothing, and not decided where it does not say", async () => {
    assert.equal(await answer(404, ""), "gone");
    assert.equal(await answer(400, '{"errors":["No secret engine mount at kv/"]}'), "gone");
    await assert.rejects(answer(403, "permission denied"), /Vault answers 403 to whoever reads VaultMount kv/);
    await assert.rejects(answer(503, '{"errors":["Vault is sealed"]}'), /503 .*sealed/);
  });
});
