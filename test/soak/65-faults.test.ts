import assert from "node:assert/strict";
import { askVault } from "../../checks/vault";
import { noneLost, underLoad } from "../live/load";
import { NAME, broughtUp, eventually, get, kubectl, outputs, platform, pulumi, standOf } from "../live/world";
import { stageUp } from "./stages";

const STACK = "prod";
const APP = "visit-tracker";
const APPS = `${STACK}-apps`;
const VAULT = `${STACK}-secrets`;
/** In all, over the rollout and the drain. */
const LOAD_SECONDS = Number(process.env.PLATFORM_TEST_LOAD_SECONDS ?? 60);

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly readyReplicas?: number; readonly updatedReplicas?: number };
}

/** What does not run as it should: all replicas, of the newest revision. */
async function shortOf(): Promise<string[]> {
  const { items } = JSON.parse(await kubectl(["get", "deployments,statefulsets", "-A", "-o", "json"])) as {
    items: Workload[];
  };
  return items
    .filter(({ metadata }) => metadata.namespace.startsWith(`${STACK}-`) || metadata.namespace === "platform-operators")
    .filter(({ spec, status }) => (status.readyReplicas ?? 0) < (spec.replicas ?? 1))
    .map(
      ({ kind, metadata, spec, status }) =>
        `${kind} ${metadata.name}: ${status.readyReplicas ?? 0} of ${spec.replicas}`,
    );
}

const fullStrength = (): Promise<void> => eventually(async () => assert.deepEqual(await shortOf(), []), 240_000);

/** External Secrets reads Vault and writes a Secret anew that was deleted. */
async function syncs(withinMs: number): Promise<void> {
  const uid = (): Promise<string> =>
    kubectl(["get", "secret", "regcred", "-n", APPS, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}"]);
  const before = await uid();
  await kubectl(["delete", "secret", "regcred", "-n", APPS, "--ignore-not-found"]);
  await eventually(async () => {
    const now = await uid();
    assert.ok(now !== "" && now !== before, "the Secret was not written anew");
  }, withinMs);
}

const leader = async (): Promise<{ pod: string; node: string }> => {
  const { body } = await askVault(await standOf(STACK), "GET", "sys/leader");
  const pod = new URL(body.leader_address ?? "").hostname.split(".")[0] ?? "";
  return { pod, node: await kubectl(["get", "pod", pod, "-n", VAULT, "-o", "jsonpath={.spec.nodeName}"]) };
};

describe("prod under faults: pods, a node, a rollout and a drain", function () {
  this.timeout(900_000);
  let endpoint = "";

  before(async () => {
    await broughtUp();
    const { out } = await pulumi(["stack", "ls", "--json"]);
    if (!out.includes(`"${STACK}"`)) for (const stack of ["qa", STACK]) await stageUp(stack);
    endpoint = (await outputs(STACK)).endpoints[APP] ?? "";
    await fullStrength();
  });

  const machine = async (verb: string, node: string): Promise<void> => {
    const { code, all } = await platform("sandbox", [verb, node, "--name", NAME]);
    assert.equal(code, 0, all);
  };
  const page = async (): Promise<void> => assert.equal((await get(endpoint)).status, 200);
  const steady = async (): Promise<void> => {
    for (let times = 0; times < 20; times++) await page();
  };

  it("[004.12] syncs secrets again after all of Vault's pods were deleted at once, and after its leader was", async () => {
    await kubectl(["delete", "pods", "-n", VAULT, "-l", "app.kubernetes.io/name=vault", "--wait=true"]);
    await syncs(120_000);
    await fullStrength();
    const { pod } = await leader();
    await kubectl(["delete", "pod", pod, "-n", VAULT, "--grace-period=0", "--force"]);
    await syncs(60_000);
    await page();
    await fullStrength();
  });

  it("serves and syncs while a node is away, and is whole again when it is back", async () => {
    const { node } = await leader();
    await machine("kill", node);
    try {
      const start = Date.now();
      await eventually(steady, 120_000);
      console.log(`      serves steadily ${Math.round((Date.now() - start) / 1000)} s after ${node} was gone`);
      await syncs(180_000);
      console.log(`      and syncs secrets ${Math.round((Date.now() - start) / 1000)} s after`);
    } finally {
      await machine("start", node);
    }
    await kubectl(["wait", "--for=condition=Ready", `node/${node}`, "--timeout=120s"]);
    await fullStrength();
    await steady();
  });

  it("[003.7] loses no request through a rollout with as many replicas as nodes, and through a drain", async () => {
    const { edge } = await outputs(STACK);
    const door: [typeof edge, string, string] = [edge, new URL(edge.hosts[APP] ?? "").hostname, "/api/healthz"];
    const rollout = async (): Promise<void> => {
      await kubectl(["rollout", "restart", `deployment/${APP}`, "-n", APPS]);
      await kubectl(["rollout", "status", `deployment/${APP}`, "-n", APPS, "--timeout=180s"], { timeoutMs: 200_000 });
    };
    noneLost(await underLoad(LOAD_SECONDS / 2, door, rollout));

    const node = "node3";
    // Two servers of Redis have their volumes there, and one may go at a time: the second would wait for the node.
    const others = "--pod-selector=app.kubernetes.io/component!=redis";
    const drain = async (): Promise<void> => {
      const flags = ["--ignore-daemonsets", "--delete-emptydir-data", "--timeout=240s", others];
      await kubectl(["drain", node, ...flags], { timeoutMs: 260_000 });
    };
    try {
      noneLost(await underLoad(LOAD_SECONDS / 2, door, drain));
    } finally {
      await kubectl(["uncordon", node]);
    }
    await fullStrength();
  });
});
