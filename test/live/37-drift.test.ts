import assert from "node:assert/strict";
import type { Drift, Findings } from "../../drift";
import type { StateResource } from "../../drift/state";
import { vaultObjects } from "../../drift/vault";
import { ask } from "../../checks/web";
import { deployerToken } from "../../checks/vault";
import { NAME, ROOT, broughtUp, kubectl, platform, pulumi, run, standOf } from "./world";

const STACK = "dev";
const APPS = `${STACK}-apps`;

interface Report extends Findings {
  readonly code: number;
}

async function report(): Promise<Report> {
  const { code, out, err } = await platform("drift", ["--name", NAME, "--stack", STACK, "--json"], {
    timeoutMs: 120_000,
  });
  assert.match(out, /^\{/, err);
  return { code, ...(JSON.parse(out) as Findings) };
}

const lines = ({ drift }: Findings): string[] =>
  drift.map(({ kind, namespace, name, change, path, manager }) =>
    [kind, `${namespace}/${name}`, change, path, manager].filter(Boolean).join(" "),
  );

/** The state as it is written, to the byte. */
const state = async (): Promise<string> => (await pulumi(["stack", "export", "-s", STACK])).out;

const versions = async (): Promise<string> =>
  kubectl([
    "get",
    "deployments,services,networkpolicies,configmaps,roles",
    "-n",
    APPS,
    "-o",
    "jsonpath={.items[*].metadata.resourceVersion}",
  ]);

async function nameOf(kind: string): Promise<string> {
  const { out } = await pulumi(["stack", "export", "-s", STACK]);
  const { deployment } = JSON.parse(out) as {
    deployment: { resources: { type: string; inputs?: { metadata?: { name: string; namespace?: string } } }[] };
  };
  const found = deployment.resources.find(
    ({ type, inputs }) => type.endsWith(`:${kind}`) && inputs?.metadata?.namespace === APPS,
  );
  assert.ok(found?.inputs?.metadata, `the stack has no ${kind} in ${APPS}`);
  return found.inputs.metadata.name;
}

const PLACE = ["-n", APPS];
const json = (patch: object): string[] => ["--type=json", "-p", JSON.stringify([patch])];

describe("drift: what hands changed is reported with its field and its author, and put back", function () {
  this.timeout(900_000);

  const wanted: { what: string; line: RegExp }[] = [];
  const expect = (what: string, line: RegExp): void => void wanted.push({ what, line });

  before(broughtUp);

  it("[000.4] is silent about a stack as it was brought up, operators and autoscalers at work, and writes nothing", async () => {
    const [stateBefore, versionsBefore] = [await state(), await versions()];
    const start = Date.now();
    const found = await report();
    console.log(`      compared ${found.compared} objects in ${((Date.now() - start) / 1000).toFixed(1)} s`);
    assert.deepEqual(lines(found), []);
    assert.deepEqual(found.undecided, []);
    assert.deepEqual(found.unknown, []);
    assert.equal(found.code, 0);
    assert.ok(found.compared > 100, `only ${found.compared} objects were compared`);
    assert.equal(await state(), stateBefore);
    assert.equal(await versions(), versionsBefore);
  });

  it("names five kinds of drift, each with its field and the manager that wrote it, and shows no secret", async () => {
    const policy = await nameOf("NetworkPolicy");
    const role = await kubectl(["get", "roles", ...PLACE, "-o", "jsonpath={.items[0].metadata.name}"]);
    await kubectl(["set", "env", "deployment/visit-tracker", ...PLACE, "DRIFT=by-hand"]);
    expect(
      "a variable",
      /^Deployment dev-apps\/visit-tracker added spec\.template\.spec\.containers\[name=[\w-]+\]\.env\[name=DRIFT\] kubectl-set$/,
    );
    await kubectl(["scale", "deployment/visit-tracker", ...PLACE, "--replicas=2"]);
    expect("replicas", /^Deployment dev-apps\/visit-tracker changed spec\.replicas kubectl$/);
    await kubectl([
      "patch",
      "networkpolicy",
      policy,
      ...PLACE,
      ...json({ op: "replace", path: "/spec/podSelector", value: { matchLabels: { drift: "yes" } } }),
    ]);
    expect(
      "a policy",
      new RegExp(`^NetworkPolicy ${APPS}/${policy} (changed|added|removed) spec\\.podSelector\\S* kubectl-patch$`),
    );
    await kubectl([
      "patch",
      "role",
      role,
      ...PLACE,
      ...json({ op: "add", path: "/rules/-", value: { apiGroups: [""], resources: ["secrets"], verbs: ["get"] } }),
    ]);
    expect("a rule of a role", new RegExp(`^Role ${APPS}/${role} added rules\\[\\d+\\] kubectl-patch$`));
    await kubectl(["delete", "service", "visit-tracker", ...PLACE]);
    expect("a Service", /^Service dev-apps\/visit-tracker deleted$/);
    await kubectl(["label", "deployment/visit-tracker", ...PLACE, "drift=by-hand"]);
    expect("a label", /^Deployment dev-apps\/visit-tracker added metadata\.labels\.drift kubectl-label$/);

    const found = await report();
    for (const { what, line } of wanted)
      assert.ok(
        lines(found).some((each) => line.test(each)),
        `${what} in:\n${lines(found).join("\n")}`,
      );
    assert.equal(found.code, 1);
    const managers = found.drift.filter(({ change }) => change !== "deleted").map(({ manager }: Drift) => manager);
    assert.deepEqual([...new Set(managers)].sort(), ["kubectl", "kubectl-label", "kubectl-patch", "kubectl-set"]);
  });

  it("[000.4] is put back by one update; the next report is empty, and so is the next update", async () => {
    const { code, all } = await platform("up", ["--name", NAME, "--stack", STACK]);
    assert.equal(code, 0, all);
    const found = await report();
    assert.deepEqual(lines(found), []);
    assert.equal(found.code, 0);
    const after = await pulumi(["preview", "-s", STACK, "--expect-no-changes"]);
    assert.equal(after.code, 0, after.all);
  });

  it("reports what was changed inside Vault, and an update puts it back", async () => {
    const stand = await standOf(STACK);
    const { deployment } = JSON.parse(await state()) as { deployment: { resources: StateResource[] } };
    const [object] = vaultObjects(deployment.resources).objects.filter(({ kind }) => kind === "VaultPolicy");
    const policy = new URL(`/v1/${object?.url}`, stand.target.vaults?.[STACK]?.url).href;
    const headers = { "x-vault-token": await deployerToken(stand) };
    const body = JSON.stringify({ policy: `path "kv/data/*" { capabilities = ["read"] }` });
    assert.equal((await ask(policy, { method: "POST", headers, ca: stand.trust, body })).status, 204);
    const found = await report();
    assert.deepEqual(
      found.drift.map(({ kind, path }) => [kind, path]),
      [["VaultPolicy", "policy"]],
    );
    const { code, all } = await platform("up", ["--name", NAME, "--stack", STACK]);
    assert.equal(code, 0, all);
    assert.equal((await report()).code, 0);
  });

  it("cannot decide without the cluster, and says so by 2", async () => {
    const env = { PULUMI_BACKEND_URL: "file:///nonexistent", KUBECONFIG: "/nonexistent" };
    const { code, err } = await run(
      process.execPath,
      ["--require", require.resolve("tsx/cjs"), "commands/drift.ts", "--stack", STACK],
      {
        cwd: ROOT,
        env: { ...process.env, ...env },
      },
    );
    assert.equal(code, 2, err);
    assert.match(err, /^error: /m);
  });
});
