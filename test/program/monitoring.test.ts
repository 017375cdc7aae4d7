import assert from "node:assert/strict";
import { bytes } from "../../components/lib/quantities";
import { json } from "../unit/components/fakeCluster";
import { type Golden, readGolden } from "./golden";
import { type Run, STACKS, Stage } from "./stage";

const OFF = { "platform:monitoring": { enabled: false } };
/** Of a local cluster: each has one pod of a DaemonSet. */
const NODES = 3;

interface Container {
  readonly resources: { readonly requests: { readonly memory: string } };
}

interface Spec {
  readonly replicas?: number;
  readonly template?: { readonly spec: { readonly containers: readonly Container[] } };
  readonly resources?: Container["resources"];
}

/** Bytes that the servers of an environment ask for, by the committed file. */
function requested(golden: Golden): number {
  const servers = Object.entries(golden.resources).flatMap(([key, { inputs }]) => {
    const kind = key.split(" ")[0]?.split(":").at(-1) ?? "";
    if (!["Deployment", "StatefulSet", "DaemonSet", "Prometheus", "Alertmanager"].includes(kind)) return [];
    const { replicas = kind === "DaemonSet" ? NODES : 1, template, ...rest } = (inputs as { spec: Spec }).spec;
    const containers = template?.spec.containers ?? [rest as Container];
    const each = containers.map(({ resources }) => bytes(resources.requests.memory) ?? NaN);
    return [replicas * each.reduce((sum, one) => sum + one, 0)];
  });
  assert.ok(servers.length > 5);
  return servers.reduce((sum, one) => sum + one, 0);
}

describe("the program and its monitoring", function () {
  this.timeout(60_000);
  let stage: Stage;
  before(async () => (stage = await Stage.set()));
  after(() => stage.strike());

  it("asks for less than 10 GiB of memory in its three environments together", () => {
    const total = STACKS.map((stack) => requested(readGolden(stack) as Golden)).reduce((sum, one) => sum + one, 0);
    assert.ok(total < 10 * 2 ** 30, `${Math.round(total / 2 ** 20)} MiB`);
  });

  it("makes nothing of it where it is off, and no exporter either", async () => {
    const runs = await Promise.all(STACKS.map((stack) => stage.run(stack, { config: OFF })));
    for (const { error, resources, outputs } of runs) {
      assert.equal(error, undefined);
      // The rules name whom they exempt, whether it is there or not.
      const made = resources.filter(({ type }) => !type.includes("ValidatingAdmissionPolicy"));
      const text = JSON.stringify([made.map(({ type, name, opened }) => [type, name, opened]), outputs]);
      for (const trace of ["monitoring", "prometheus-operator", "exporter:"]) assert.ok(!text.includes(trace), trace);
      assert.ok(text.includes("redis"), "the test looks at nothing");
    }
  });

  describe("on a cluster that is not prepared for it", () => {
    before(() => {
      stage.cluster.handlers["/apis"] = json({
        groups: ["cert-manager.io", "external-secrets.io", "gateway.networking.k8s.io"].map((name) => ({ name })),
      });
    });
    const ranFor = ({ resources }: Run): number => resources.length;

    it("asks for nothing at all in a stack that uses what another installs", async () => {
      const run = await stage.run("qa");
      assert.match(run.error ?? "", /^stack qa uses what another .* does not know monitoring\.coreos\.com\. Bring up/);
      assert.equal(ranFor(run), 1);
    });

    it("goes on where the stack does without it, or installs it", async () => {
      for (const run of [await stage.run("qa", { config: OFF }), await stage.run("dev")]) {
        assert.equal(run.error, undefined);
        assert.ok(ranFor(run) > 50);
      }
    });
  });
});
