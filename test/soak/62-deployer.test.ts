import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseDocument } from "yaml";
import { run } from "../../checks/command";
import { deployerChecks } from "../../checks/deployer";
import { runChecks } from "../../checks/runner";
import { clusterPki } from "../../sandbox/controlPlane";
import { existing } from "../../sandbox/settings";
import {
  NAME,
  type Result,
  broughtUp,
  copyOfProject,
  get,
  itHolds,
  kubectl,
  outputs,
  platform,
  pulumi,
  standOf,
} from "../live/world";

const STACK = "qa";
const APP = "visit-tracker";
const EXPORT = /^export (\w+)='(.*)'$/gm;

describe("deployer: qa from nothing and back, as an account that may do nothing elsewhere", function () {
  this.timeout(1_800_000);
  let copy = "";
  /** Of a shell whose kubectl is the deployer's too, with tokens that somebody asks for who may do nothing else. */
  let env: NodeJS.ProcessEnv = {};

  /** Says in a copy of the project who has a deployer, and brings the stack that makes them to that. */
  before(async () => {
    await broughtUp();
    copy = await copyOfProject();
    const file = path.join(copy, "Pulumi.dev.yaml");
    const settings = parseDocument(fs.readFileSync(file, "utf8"));
    settings.setIn(["config", "platform:deployers"], [STACK]);
    fs.writeFileSync(file, settings.toString());
    const down = await platform("down", ["--name", NAME, "--stack", STACK]);
    assert.equal(down.code, 0, down.all);
    for (const stack of ["dev", STACK]) {
      const { code, all } = await platform("up", ["--name", NAME, "--stack", stack], { cwd: copy });
      assert.equal(code, 0, all);
    }
    env = await shellOfBastion();
  });

  after(async () => {
    const { code, all } = await platform("up", ["--name", NAME, "--stack", "dev"]);
    fs.rmSync(copy, { recursive: true, force: true });
    assert.equal(code, 0, all);
    assert.equal(await kubectl(["get", "namespaces", "platform-deployers", "--ignore-not-found", "-o", "name"]), "");
  });

  async function shellOfBastion(): Promise<NodeJS.ProcessEnv> {
    const { out, code, all } = await platform("env", ["--name", NAME, "--stack", STACK]);
    assert.equal(code, 0, all);
    const exported = [...out.matchAll(EXPORT)].map(([, name = "", value = ""]): [string, string] => [name, value]);
    const layout = existing(NAME);
    assert.ok(layout);
    const bastion = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "bastion-")), "kubeconfig");
    fs.writeFileSync(bastion, clusterPki(layout).client("bastion", `platform:${STACK}-deployers`), { mode: 0o600 });
    return { ...process.env, ...Object.fromEntries(exported), PLATFORM_MINTER: bastion };
  }

  const asDeployer = (command: string, ...args: string[]): Promise<Result> => run(command, args, { env, cwd: copy });
  const unchanged = ["up", "-s", STACK, "--yes", "--skip-preview", "--expect-no-changes"];

  it("[001.10] serves, brought up from nothing by the deployer alone", async () => {
    assert.equal((await get((await outputs(STACK)).endpoints[APP] ?? "")).status, 200);
    const { out } = await pulumi(["stack", "export", "-s", STACK]);
    assert.match(out, /create token .*deployer-qa/s);
    assert.doesNotMatch(out, /eyJhbGciOi/, "no token is in the state");
  });

  itHolds(STACK);

  it("[001.10] [004.18] has a deployer that the checks look at", async () => {
    for (const { title, status, detail } of await runChecks(deployerChecks, await standOf(STACK), { atOnce: 1 }))
      assert.equal(status, "pass", `${title}: ${detail}`);
  });

  it("[004.18] is the same for an administrator's shell and for one that may only ask for tokens", async () => {
    const administrator = await pulumi(unchanged);
    assert.equal(administrator.code, 0, administrator.all);
    const bastion = await asDeployer("pulumi", ...unchanged, "--non-interactive");
    assert.equal(bastion.code, 0, bastion.all);
    const refresh = await asDeployer("pulumi", "refresh", "-s", STACK, "--yes", "--skip-preview", "--non-interactive");
    assert.equal(refresh.code, 0, refresh.all);
    const after = await asDeployer("pulumi", ...unchanged, "--non-interactive");
    assert.equal(after.code, 0, after.all);
  });

  it("[001.10] reads its own Secrets and those of no other environment, and writes nowhere else", async () => {
    const own = await asDeployer("kubectl", "get", "secrets", "-n", "qa-apps");
    assert.equal(own.code, 0, own.all);
    for (const args of [
      ["get", "secrets", "-n", "dev-apps"],
      ["get", "secret", "vault-seal", "-n", "dev-secrets"],
      ["get", "secrets", "-A"],
      ["create", "configmap", "foreign", "-n", "dev-apps"],
      ["delete", "namespace", "dev-apps"],
      ["create", "token", "deployer-qa", "-n", "platform-deployers"],
      [
        "create",
        "clusterrolebinding",
        "mine",
        "--clusterrole=cluster-admin",
        "--serviceaccount=platform-deployers:deployer-qa",
      ],
    ]) {
      const { code, all } = await asDeployer("kubectl", ...args);
      assert.notEqual(code, 0, args.join(" "));
      assert.match(all, /Forbidden|forbidden/, args.join(" "));
    }
  });

  it("[001.10] logs in to the Vault of its environment, and to no other", async () => {
    const { url = "" } = (await standOf(STACK)).target.vaults?.[STACK] ?? {};
    const { url: dev = "" } = (await standOf(STACK)).target.vaults?.dev ?? {};
    const login = (VAULT_ADDR: string): Promise<Result> =>
      run("node", ["commands/vaultToken.mjs", "get"], { env: { ...env, VAULT_ADDR }, cwd: copy });
    const own = await login(url);
    assert.equal(own.code, 0, own.err);
    assert.match(own.out, /^hvs\./);
    assert.notEqual((await login(dev)).code, 0);
  });

  it("[001.10] goes as it came: the deployer leaves nothing behind, and the others as they are", async () => {
    const { code, all } = await asDeployer(
      "pulumi",
      "destroy",
      "-s",
      STACK,
      "--yes",
      "--skip-preview",
      "--non-interactive",
    );
    assert.equal(code, 0, all);
    const down = await platform("down", ["--name", NAME, "--stack", STACK]);
    assert.equal(down.code, 0, down.all);
    const left = await kubectl([
      "get",
      "namespaces,clusterroles,clusterrolebindings,gatewayclasses,validatingadmissionpolicies",
      "-l",
      `platform/environment=${STACK}`,
      "-o",
      "name",
    ]);
    assert.equal(left, "");
    assert.equal((await get((await outputs("dev")).endpoints[APP] ?? "")).status, 200);
  });
});
