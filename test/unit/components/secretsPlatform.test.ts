import assert from "node:assert/strict";
import { readerPolicy, serverConfig } from "../../../components/secretsPlatform/settings";
import { type Recording, SECRET, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

const POD = "spec.template.spec";

describe("SecretsPlatform", () => {
  let recording: Recording;
  before(async () => {
    recording = await record(() => {
      const secrets = new Scene().secrets("vault", { replicas: 3, spread: "hard", url: "https://vault.example:8200" });
      const from = secrets.keep("data/redis", { password: "first password" });
      const template = { "users.acl": "user app on >{{ .password }}" };
      return { synced: secrets.sync("redis", { namespace: "dev-data", secretName: "users", from, template }) };
    });
  });
  const inVault = (): Recording["resources"] => recording.resources.filter(({ type }) => type.startsWith("vault:"));

  it("seeds a value once: what was changed in Vault is neither read back nor written over", () => {
    const kept = one(recording, "SecretV2");
    assert.equal(kept.inputs.dataJson, SECRET);
    assert.deepEqual(JSON.parse(kept.opened.dataJson as string), { password: "first password" });
    assert.equal(kept.inputs.disableRead, true);
    assert.deepEqual(kept.options.ignoreChanges, ["dataJson"]);
  });

  it("gives a reader one path, one account of one namespace, and no token", () => {
    assert.equal(one(recording, "Policy").inputs.policy, 'path "kv/data/data/redis" { capabilities = ["read"] }');
    const role = one(recording, "AuthBackendRole").inputs;
    assert.deepEqual(
      [role.boundServiceAccountNames, role.boundServiceAccountNamespaces, role.tokenPolicies, role.audience],
      [["secrets-redis"], ["dev-data"], ["secrets-redis"], "vault"],
    );
    const store = one(recording, "SecretStore");
    const { kubernetes } = field(store, "spec.provider.vault.auth") as { kubernetes: object };
    assert.deepEqual(kubernetes, {
      mountPath: "kubernetes",
      role: "secrets-redis",
      serviceAccountRef: { name: "secrets-redis", audiences: ["vault"] },
    });
  });

  it("brings values to a namespace, and waits until they are there", () => {
    const synced = one(recording, "ExternalSecret");
    assert.deepEqual(field(synced, "metadata.annotations"), { "pulumi.com/waitFor": "condition=Ready" });
    assert.deepEqual(field(synced, "spec.data"), [
      { secretKey: "password", remoteRef: { key: "data/redis", property: "password" } },
    ]);
    assert.deepEqual(field(synced, "spec.target.template.data"), { "users.acl": "user app on >{{ .password }}" });
    assert.equal(recording.outputs.synced, "users");
  });

  it("logs in with nothing that the state would keep, at an address that is known once the servers are", () => {
    const provider = recording.resources.find(({ type }) => type === "pulumi:providers:vault");
    assert.deepEqual(provider?.inputs, {
      address: "https://vault.example:8200",
      addAddressToEnv: "true",
      // The provider's own default, for tokens that it makes: it makes none.
      maxLeaseTtlSeconds: "1200",
      maxRetries: "1",
      skipChildToken: "true",
    });
    assert.ok(provider.dependencies.includes(one(recording, "StatefulSet").urn));
    for (const each of inVault()) assert.match(each.provider, /::vault-login::/, each.name);
  });

  it("lets everything in Vault go with its servers", () => {
    assert.ok(inVault().length >= 4);
    for (const each of inVault()) assert.equal(each.options.deletedWith, one(recording, "StatefulSet").urn, each.name);
  });

  it("lets its keeper touch the one Secret that it makes", () => {
    assert.deepEqual(field(one(recording, "Role"), "rules"), [
      { apiGroups: [""], resources: ["secrets"], resourceNames: ["vault-seal"], verbs: ["get", "update"] },
      { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
    ]);
  });

  it("starts its servers at once, on a node each, with a certificate for each", () => {
    const servers = one(recording, "StatefulSet");
    assert.equal(field(servers, "spec.podManagementPolicy"), "Parallel");
    assert.equal(field(servers, `${POD}.topologySpreadConstraints.0.whenUnsatisfiable`), "DoNotSchedule");
    assert.ok(names(recording, "PodDisruptionBudget").includes("vault-budget"));
    const hosts = field(one(recording, "Certificate"), "spec.dnsNames") as string[];
    for (const host of ["*.vault-internal.dev-secrets.svc.cluster.local", "vault.example"])
      assert.ok(hosts.includes(host), host);
  });

  it("is reached by its own pods, External Secrets and who is no pod", () => {
    assert.deepEqual(names(recording, "NetworkPolicy").sort(), [
      "vault-external-secrets-to-dev-egress",
      "vault-external-secrets-to-dev-ingress",
      "vault-from-outside",
      "vault-to-api-server",
      "vault-to-vault-egress",
      "vault-to-vault-ingress",
    ]);
  });
});

describe("Vault's configuration", () => {
  it("names every server for the others to join", () => {
    const text = serverConfig("dev-secrets", 3, { type: "cluster" });
    for (const ordinal of [0, 1, 2])
      assert.ok(text.includes(`https://vault-${ordinal}.vault-internal.dev-secrets.svc.cluster.local:8200`));
    assert.ok(!text.includes("seal "));
  });

  it("takes the settings of a seal that is a service", () => {
    const seal = { type: "awskms", settings: { region: "eu-central-1", kms_key_id: 'alias/"vault"' } } as const;
    const text = serverConfig("dev-secrets", 1, seal);
    assert.ok(text.includes('seal "awskms" {\n  region = "eu-central-1"\n  kms_key_id = "alias/\\"vault\\""\n}'));
  });

  it("lets a reader read what it is given, and nothing without a path", () => {
    assert.equal(readerPolicy([]), "");
    assert.equal(readerPolicy(["a", "b/c"]).split("\n").length, 2);
  });
});
