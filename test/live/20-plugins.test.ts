import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ensure } from "../../toolchain";
import { freePort } from "../unit/freePort";
import { ROOT, broughtUp, eventually, get, kubectl, run, shell, tryKubectl } from "./world";

/** A Pulumi program of a few lines, brought up and taken down with the real engine and plugin. */
async function upAndDown(
  name: string,
  program: string,
  env: NodeJS.ProcessEnv,
  check: (outputs: Record<string, unknown>) => Promise<void>,
): Promise<void> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), `platform-plugin-${name}-`));
  const pulumi = async (...args: string[]): Promise<string> => {
    const { code, all, out } = await run("pulumi", [...args, "--non-interactive"], {
      cwd: dir,
      env: { ...env, PULUMI_BACKEND_URL: `file://${dir}` },
      timeoutMs: 180_000,
    });
    assert.equal(code, 0, all);
    return out;
  };
  try {
    fs.writeFileSync(
      path.join(dir, "Pulumi.yaml"),
      `name: smoke-${name}\nruntime: { name: nodejs, options: { typescript: false } }\nmain: index.js\n`,
    );
    fs.writeFileSync(path.join(dir, "package.json"), "{}");
    fs.writeFileSync(path.join(dir, "index.js"), program);
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
    await pulumi("stack", "init", "smoke");
    await pulumi("up", "--yes", "--skip-preview");
    await check(JSON.parse(await pulumi("stack", "output", "--json", "--show-secrets")) as Record<string, unknown>);
    await pulumi("destroy", "--yes", "--skip-preview");
    assert.match(await pulumi("stack", "--show-urns"), /Current stack resources \(0\)/);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** A server for the length of a test, ended by its own process id. */
async function withServer(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  work: () => Promise<void>,
): Promise<void> {
  const server = spawn(command, args, { env, stdio: "ignore" });
  try {
    await work();
  } finally {
    const ended = new Promise((done) => server.once("close", done));
    server.kill("SIGKILL");
    await ended;
  }
}

/** By what each makes, reads back and deletes. */
const smokes: Readonly<Record<string, () => Promise<void>>> = {
  "kubernetes: a Namespace": async () => {
    const program = `const k8s = require("@pulumi/kubernetes"); exports.name = new k8s.core.v1.Namespace("smoke").metadata.name;`;
    let name = "";
    await upAndDown("kubernetes", program, await shell(), async (outputs) => {
      name = String(outputs.name);
      assert.match(await kubectl(["get", "namespace", name, "-o", "jsonpath={.status.phase}"]), /Active/);
    });
    assert.match((await tryKubectl(["get", "namespace", name])).err, /NotFound/);
  },

  "random: a RandomPassword": async () => {
    const program = `const random = require("@pulumi/random"); exports.password = new random.RandomPassword("smoke", { length: 24 }).result;`;
    await upAndDown("random", program, await shell(), (outputs) =>
      Promise.resolve(assert.equal(String(outputs.password).length, 24)),
    );
  },

  "vault: a secret in a key-value store of a real Vault": async () => {
    const tools = await ensure(["pulumi", "plugin-vault", "vault"]);
    const address = `127.0.0.1:${await freePort()}`;
    const token = "only-for-this-test";
    const env = {
      ...(await shell()),
      PULUMI_HOME: tools.pulumiHome,
      VAULT_ADDR: `http://${address}`,
      VAULT_TOKEN: token,
    };
    const program = `const vault = require("@pulumi/vault");
const mount = new vault.Mount("smoke", { path: "smoke", type: "kv", options: { version: "2" } });
const secret = new vault.kv.SecretV2("smoke", { mount: mount.path, name: "greeting", dataJson: JSON.stringify({ word: "hello" }) });
exports.path = secret.path;`;
    const args = [
      "server",
      "-dev",
      `-dev-listen-address=${address}`,
      `-dev-root-token-id=${token}`,
      "-dev-no-store-token",
    ];
    await withServer(tools.bin("vault"), args, env, async () => {
      await eventually(async () => assert.equal((await get(`http://${address}/v1/sys/health`)).status, 200), 20_000);
      await upAndDown("vault", program, env, async () => {
        const { out } = await run(tools.bin("vault"), ["kv", "get", "-mount=smoke", "-field=word", "greeting"], {
          env,
        });
        assert.equal(out.trim(), "hello");
      });
    });
  },

  "docker: an image built by a daemon and pushed to a registry": async () => {
    const tools = await ensure(["registry"]);
    const address = `127.0.0.1:${await freePort()}`;
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "platform-registry-"));
    try {
      fs.writeFileSync(
        path.join(dir, "config.yml"),
        `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${dir}/data } }\nhttp: { addr: ${address} }\n`,
      );
      fs.mkdirSync(path.join(dir, "context"));
      fs.writeFileSync(path.join(dir, "context", "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
      const env = { ...(await shell()), OTEL_TRACES_EXPORTER: "none" };
      const program = `const docker = require("@pulumi/docker");
const provider = new docker.Provider("builder", { host: process.env.DOCKER_HOST, registryAuth: [{ address: "http://${address}", username: "nobody", password: "none" }] });
const image = new docker.RemoteImage("smoke", { name: "${address}/smoke:1", build: { context: ${JSON.stringify(path.join(dir, "context"))} } }, { provider });
exports.digest = new docker.RegistryImage("smoke", { name: image.name, keepRemotely: true }, { provider, dependsOn: image }).sha256Digest;`;
      await withServer(tools.bin("registry"), ["serve", path.join(dir, "config.yml")], env, async () => {
        await eventually(async () => assert.equal((await get(`http://${address}/v2/`)).status, 200), 20_000);
        await upAndDown("docker", program, env, async (outputs) => {
          assert.equal(
            (await get(`http://${address}/v2/smoke/manifests/${String(outputs.digest)}`, "HEAD")).status,
            200,
          );
        });
      });
    } finally {
      fs.rmSync(dir, { recursive: true, force: true });
    }
  },
};

describe("plugins: each makes, reads back and deletes one real resource", function () {
  this.timeout(600_000);
  const results = new Map<string, Promise<void>>();

  // They wait for servers more than they work: side by side.
  before(async () => {
    await broughtUp();
    for (const [what, smoke] of Object.entries(smokes)) results.set(what, smoke());
    await Promise.allSettled(results.values());
  });

  for (const what of Object.keys(smokes)) it(what, () => results.get(what));
});
