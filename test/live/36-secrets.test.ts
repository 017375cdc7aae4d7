import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as https from "node:https";
import * as path from "node:path";
import { ROOT, broughtUp, eventually, kubectl, pulumi, run, shell } from "./world";

const STACK = "dev";
const VAULT = `${STACK}-secrets`;

interface Answer {
  readonly status: number;
  readonly body: {
    auth?: { client_token: string; policies: string[]; lease_duration: number };
    data?: { data?: Record<string, string>; keys?: string[] };
    sealed?: boolean;
  };
}

interface Secret {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data?: Readonly<Record<string, string>>;
}

const decoded = (text = ""): string => Buffer.from(text, "base64").toString("utf8");

async function vaultUrl(): Promise<string> {
  const target = JSON.parse(fs.readFileSync((await shell()).PLATFORM_TARGET ?? "", "utf8")) as {
    vaults: Record<string, { url: string }>;
  };
  return target.vaults[STACK]?.url ?? "";
}

async function ask(method: string, url: string, token?: string, body?: object): Promise<Answer> {
  const { SSL_CERT_FILE = "" } = await shell();
  const target = new URL(`/v1/${url}`, await vaultUrl());
  return new Promise((done, fail) => {
    const headers = token ? { "x-vault-token": token } : {};
    const request = https.request(
      target,
      { method, headers, ca: fs.readFileSync(SSL_CERT_FILE), agent: false, timeout: 5000 },
      (response) => {
        let text = "";
        response.on("data", (data: Buffer) => (text += data.toString()));
        response.on("end", () =>
          done({ status: response.statusCode ?? 0, body: JSON.parse(text || "{}") as Answer["body"] }),
        );
      },
    );
    request.on("timeout", () => request.destroy(new Error("no answer in 5 s")));
    request.on("error", fail);
    request.end(body && JSON.stringify(body));
  });
}

/** As the shell of `npm run env` logs in. */
async function deployerToken(): Promise<string> {
  const env = { ...(await shell()), VAULT_ADDR: await vaultUrl() };
  const { out, err, code } = await run(path.join(ROOT, "commands/vaultToken.mjs"), ["get"], { env });
  assert.equal(code, 0, err);
  return out;
}

async function tokenOf(account: string, namespace: string): Promise<Answer> {
  const args = ["create", "token", account, "-n", namespace, "--audience", "vault", "--duration", "10m"];
  const jwt = (await kubectl(args)).trim();
  return ask("POST", "auth/kubernetes/login", undefined, { role: account, jwt });
}

const secret = async (namespace: string, name: string): Promise<Secret> =>
  JSON.parse(await kubectl(["get", "secret", name, "-n", namespace, "-o", "json"])) as Secret;

const read = async (token: string, name: string): Promise<Record<string, string>> => {
  const { status, body } = await ask("GET", `kv/data/${name}`, token);
  assert.equal(status, 200, JSON.stringify(body));
  return body.data?.data ?? {};
};

describe("secrets: kept in Vault, synced to where they are used", function () {
  this.timeout(600_000);
  let token = "";

  before(async () => {
    await broughtUp();
    // A suite before may have left another version of the application.
    const { code, all } = await pulumi(["up", "-s", STACK, "--yes", "--skip-preview"]);
    assert.equal(code, 0, all);
    token = await deployerToken();
  });

  it("[000.9] [002.16] [003.16] keeps the credentials of registry and Redis, and shows them nowhere", async () => {
    const kept = await Promise.all(
      ["redis/app", "redis/servers", "registry/pull", "registry/push"].map((name) => read(token, name)),
    );
    const values = kept.flatMap((each) => Object.values(each));
    assert.ok(values.length >= 6);
    const { out: state } = await pulumi(["stack", "export", "-s", STACK]);
    const shown = {
      state,
      objects: await kubectl(["get", "configmaps,pods,deployments,statefulsets", "-A", "-o", "json"]),
      logs: await logsOf([VAULT, `${STACK}-registry`, `${STACK}-data`, `${STACK}-apps`, "platform-operators"]),
    };
    assert.ok(shown.state.includes("vault:kv/secretV2:SecretV2") && shown.logs.includes("auth/kubernetes/login"));
    const { key = "" } = (await secret(VAULT, "vault-seal")).data ?? {};
    for (const value of [...values, decoded(key)])
      for (const [place, text] of Object.entries(shown))
        assert.ok(!text.includes(value), `a secret is in the ${place}`);
  });

  it("[000.10] [000.11] writes the pull secret that a kubelet understands", async () => {
    const { pullPassword } = await read(token, "registry/pull");
    const { auths } = JSON.parse(decoded((await secret(`${STACK}-apps`, "regcred")).data?.[".dockerconfigjson"])) as {
      auths: object;
    };
    const auth = Buffer.from(`pull:${pullPassword}`).toString("base64");
    assert.deepEqual(auths, {
      "registry.dev-registry.svc.cluster.local": { username: "pull", password: pullPassword, auth },
    });
  });

  it("[003.18] gives a reader its own path, by an identity of its own that lasts minutes", async () => {
    const { status, body } = await tokenOf("secrets-visit-tracker-redis", `${STACK}-apps`);
    assert.equal(status, 200, JSON.stringify(body));
    const { client_token: own = "", lease_duration: lease = 0 } = body.auth ?? {};
    assert.ok(lease <= 600);
    assert.ok((await read(own, "redis/app")).app);
    const refused = [
      "kv/data/registry/pull",
      "kv/data/redis/servers",
      "kv/metadata?list=true",
      "sys/policies/acl",
      "sys/mounts",
    ];
    for (const url of refused) assert.equal((await ask("GET", url, own)).status, 403, url);
    assert.equal((await ask("POST", "kv/data/redis/app", own, { data: {} })).status, 403);
    // An account of the same name elsewhere is somebody else.
    await kubectl(["create", "serviceaccount", "secrets-visit-tracker-redis", "-n", `${STACK}-data`]);
    try {
      assert.equal((await tokenOf("secrets-visit-tracker-redis", `${STACK}-data`)).status, 403);
    } finally {
      await kubectl(["delete", "serviceaccount", "secrets-visit-tracker-redis", "-n", `${STACK}-data`]);
    }
  });

  it("[004.21] has no Vault token in any Secret, and an ExternalSecret behind every Secret of the applications", async () => {
    const { items } = JSON.parse(await kubectl(["get", "secrets", "-A", "-o", "json"])) as { items: Secret[] };
    assert.ok(items.length > 5);
    for (const { metadata, data } of items)
      for (const [key, value] of Object.entries(data ?? {}))
        assert.doesNotMatch(decoded(value), /^hvs\.|"hvs\./, `${metadata.namespace}/${metadata.name} ${key}`);
    const owners = await kubectl([
      "get",
      "secrets",
      "-n",
      `${STACK}-apps`,
      "-o",
      "jsonpath={range .items[*]}{.metadata.name}={.metadata.ownerReferences[0].kind} {end}",
    ]);
    for (const each of owners.trim().split(" ")) assert.match(each, /=ExternalSecret$/);
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
      assert.equal((await ask(method, url, token, body)).status, 403, `${method} ${url}`);
  });

  it("[000.12] lets what was changed in Vault stay changed, and brings it where it is used", async () => {
    const before = await read(token, "registry/pull");
    const metadata = (await secret(`${STACK}-apps`, "regcred")).metadata.name;
    const changed = { ...before, pullPassword: `${before.pullPassword}-changed` };
    const put = (data: object): Promise<Answer> => ask("POST", "kv/data/registry/pull", token, { data });
    assert.equal((await put(changed)).status, 200);
    try {
      for (const args of [
        ["refresh", "-s", STACK, "--yes", "--skip-preview"],
        ["up", "-s", STACK, "--yes", "--skip-preview", "--expect-no-changes"],
      ]) {
        const { code, all } = await pulumi(args);
        assert.equal(code, 0, all);
      }
      assert.deepEqual(await read(token, "registry/pull"), changed);
      await eventually(async () => {
        const text = decoded((await secret(`${STACK}-apps`, metadata)).data?.[".dockerconfigjson"]);
        assert.ok(text.includes(changed.pullPassword), "the pull secret lags behind");
      }, 90_000);
    } finally {
      await put(before);
    }
  });

  it("[004.12] unseals within a minute after all its pods were deleted at once, and goes on syncing", async () => {
    await kubectl(["delete", "pod", "-n", VAULT, "-l", "app.kubernetes.io/name=vault", "--wait=true"]);
    const start = Date.now();
    await eventually(async () => assert.equal((await ask("GET", "sys/health?standbyok=true")).status, 200), 60_000);
    console.log(`      serving again ${Math.round((Date.now() - start) / 1000)} s after its pods were gone`);
    await kubectl(["delete", "secret", "regcred", "-n", `${STACK}-apps`]);
    await eventually(() => secret(`${STACK}-apps`, "regcred"), 60_000);
  });

  it("absent, lets a preview through, and refresh and update end with its address while the state keeps everything", async () => {
    const urns = async (): Promise<string[]> => {
      const { out } = await pulumi(["stack", "export", "-s", STACK]);
      const { deployment } = JSON.parse(out) as { deployment: { resources: { urn: string }[] } };
      return deployment.resources.map(({ urn }) => urn).sort();
    };
    const before = await urns();
    await kubectl(["scale", "statefulset", "vault", "-n", VAULT, "--replicas=0"]);
    await kubectl(["wait", "--for=delete", "pod/vault-0", "-n", VAULT, "--timeout=60s"]);
    try {
      const preview = await pulumi(["preview", "-s", STACK]);
      assert.equal(preview.code, 0, preview.all);
      const start = Date.now();
      const refresh = await pulumi(["refresh", "-s", STACK, "--yes", "--skip-preview"]);
      console.log(`      a refresh without Vault ended after ${Math.round((Date.now() - start) / 1000)} s`);
      assert.notEqual(refresh.code, 0);
      assert.match(refresh.all, new RegExp((await vaultUrl()).replaceAll(".", "\\.")));
      assert.deepEqual(await urns(), before);
    } finally {
      await kubectl(["scale", "statefulset", "vault", "-n", VAULT, "--replicas=1"]);
      await kubectl(["rollout", "status", "statefulset/vault", "-n", VAULT, "--timeout=90s"]);
    }
    // The refresh has seen that a server was missing.
    const again = await pulumi(["up", "-s", STACK, "--yes", "--skip-preview"]);
    assert.equal(again.code, 0, again.all);
  });
});

async function logsOf(namespaces: readonly string[]): Promise<string> {
  const texts = await Promise.all(
    namespaces.map(async (namespace) => {
      const pods = (await kubectl(["get", "pods", "-n", namespace, "-o", "name"])).trim().split("\n").filter(Boolean);
      const logs = pods.map((pod) => kubectl(["logs", pod, "-n", namespace, "--all-containers"]));
      return (await Promise.all(logs)).join("\n");
    }),
  );
  return texts.join("\n");
}
