import assert from "node:assert/strict";
import { CHECKS } from "../../checks";
import type { Outcome } from "../../checks/check";
import { NAME, apply, broughtUp, eventually, get, kubectl, outputs, platform, standOf } from "../live/world";

const STACK = "dev";
const APPS = `${STACK}-apps`;
const PASSWORD = ["get", "secret", "visit-tracker-redis", "-n", APPS, "-o", "jsonpath={.data.REDIS_PASSWORD}"];

interface Verdict {
  readonly code: number;
  readonly outcomes: readonly Outcome[];
}

async function verify(): Promise<Verdict> {
  const { code, out, err } = await platform("verify", ["--name", NAME, "--stack", STACK, "--json"]);
  assert.match(out, /^\[/, err);
  return { code, outcomes: JSON.parse(out) as Outcome[] };
}

const failed = ({ outcomes }: Verdict): string[] =>
  outcomes.filter(({ status }) => status === "fail").map(({ id, title, detail }) => `${id} ${title}: ${detail}`);

describe("verify: a running stack, by requirement", function () {
  this.timeout(600_000);

  before(broughtUp);

  it("finds nothing wrong with a stack that is up, and leaves nothing behind", async () => {
    const verdict = await verify();
    assert.deepEqual(failed(verdict), []);
    assert.equal(verdict.code, 0);
    assert.equal(verdict.outcomes.length, CHECKS.length);
    const { namespaces } = await (await standOf(STACK)).outputs();
    for (const namespace of Object.values(namespaces))
      assert.equal(await kubectl(["get", "pods", "-n", namespace, "-l", "platform/check", "-o", "name"]), "");
  });

  it("names what somebody broke, opened or gave away", async () => {
    const password = Buffer.from(await kubectl(PASSWORD), "base64").toString();
    const metadata = { name: "by-hand", namespace: APPS };
    const open = { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [{}] };
    await kubectl(["scale", "deployment/visit-tracker", "-n", APPS, "--replicas=0"]);
    // It serves until it is gone.
    const pods = ["pods", "-n", APPS, "-l", "app.kubernetes.io/name=visit-tracker"];
    await kubectl(["wait", "--for=delete", ...pods, "--timeout=60s"]);
    await apply({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec: open });
    await apply({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { password } });
    try {
      const verdict = await verify();
      const found = failed(verdict);
      assert.equal(verdict.code, 1);
      for (const what of [
        /^000\.16 /,
        /^002\.9 each application is as large as the profile says/,
        /^002\.3 .*the API server at .* is open/s,
        /^003\.22 .*traffic differs from what is declared/s,
        /^000\.9 .*ConfigMap dev-apps\/by-hand/s,
      ])
        assert.ok(
          found.some((each) => what.test(each)),
          `${String(what)} in:\n${found.join("\n")}`,
        );
      for (const id of ["000.7", "000.14", "003.8", "003.18"])
        assert.ok(!found.some((each) => each.startsWith(id)), found.join("\n"));
      assert.ok(!found.join("\n").includes(password));
    } finally {
      await kubectl(["delete", "networkpolicy,configmap", "by-hand", "-n", APPS]);
      await kubectl(["scale", "deployment/visit-tracker", "-n", APPS, "--replicas=1"]);
      await kubectl(["rollout", "status", "deployment/visit-tracker", "-n", APPS, "--timeout=120s"]);
    }
    const { endpoints } = await outputs(STACK);
    await eventually(async () => assert.equal((await get(endpoints["visit-tracker"] ?? "")).status, 200), 30_000);
  });
});
