import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { enforcePolicies, Gate } from "../../policy/inProgram";
import { policySettings, readSettings } from "../../policy/settings";
import { carry, container, policy, rooted, template } from "./manifests";

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const faulty = rooted();

function program({ preview }: { preview: boolean }): { gate: Gate; said: string[] } {
  void pulumi.runtime.setMocks(
    { newResource: ({ inputs }) => ({ id: "", state: inputs as object }), call: () => ({}) },
    "platform",
    "dev",
    preview,
  );
  const said: string[] = [];
  return { gate: new Gate(policySettings("dev"), (_, message) => Promise.resolve(void said.push(message))), said };
}

function register(gate: Gate, type: string, props: object): Promise<undefined> {
  return gate.inspect({ custom: true, type, name: "web", props, opts: {} });
}

const deployment = (containers: Record<string, unknown>[]): object =>
  carry("Deployment", template(containers), { name: pulumi.unknown }).manifest;

describe("the gate inside the program", () => {
  it("lets a preview go on, and refuses at its end with every violation", async () => {
    const { gate, said } = program({ preview: true });
    await register(gate, DEPLOYMENT, deployment([faulty]));
    await assert.rejects(gate.close(), /^Error: 3 policy violations/);
    assert.deepEqual(
      said
        .filter((line) => line.startsWith("["))
        .map((message) => /^\[[a-z-]+\] Deployment dev-apps\/web/.exec(message)?.[0]),
      ["non-root", "network-policy", "network-policy"].map((rule) => `[${rule}] Deployment dev-apps/web`),
    );
  });

  it("stops an update before the object is written", async () => {
    const { gate } = program({ preview: false });
    await assert.rejects(
      register(gate, DEPLOYMENT, deployment([faulty])),
      /^Error: \[non-root\] Deployment dev-apps\/web/,
    );
  });

  it("passes sound objects that a policy selects, and looks at nothing else", async () => {
    const { gate, said } = program({ preview: true });
    await register(gate, DEPLOYMENT, deployment([container({ env: [{ name: "MODE", value: pulumi.unknown }] })]));
    await register(
      gate,
      "kubernetes:networking.k8s.io/v1:NetworkPolicy",
      policy({ policyTypes: ["Ingress", "Egress"] }),
    );
    await register(gate, "random:index/randomPassword:RandomPassword", { spec: pulumi.unknown });
    await gate.close();
    assert.deepEqual(
      said.filter((line) => !line.startsWith("not used: ")),
      [],
    );
    assert.match(said.join("\n"), /^not used: the exemption of kind DaemonSet.* from host-path/m);
  });

  it("refuses at its end for an exemption without an end", async () => {
    const settings = readSettings({ exemptions: [{ rule: "limits", target: { name: "a" } }] }, "here", "program");
    const said: string[] = [];
    const gate = new Gate(settings, (_, message) => Promise.resolve(void said.push(message)));
    await assert.rejects(gate.close(), /^Error: 3 policy violations/);
    assert.match(said.join("\n"), /^\[exemption\] Exemption limits: exemptions\[0\]\.until is not set/m);
  });

  it("sees through secrets and outputs", async () => {
    const { gate, said } = program({ preview: true });
    const { spec, ...rest } = deployment([faulty]) as { spec: object };
    await register(gate, DEPLOYMENT, { ...rest, spec: pulumi.secret(spec) });
    await assert.rejects(gate.close());
    assert.match(said[0] ?? "", /containers\[0\]\.securityContext\.runAsNonRoot is not set/);
  });

  it("does not blame a program that broke off for the policies it never came to", async () => {
    const { gate, said } = program({ preview: true });
    await register(gate, DEPLOYMENT, deployment([container()]));
    gate.breakOff();
    await gate.close();
    assert.deepEqual(said, []);
  });

  it("leaves programs under mocks to their own tests, and asks for known settings even there", () => {
    program({ preview: true });
    assert.doesNotThrow(() => enforcePolicies({ stack: "dev", imagesFrom: [] }));
    assert.throws(
      () => enforcePolicies({ stack: "elsewhere", imagesFrom: [] }),
      /policy\/config\/elsewhere\.json cannot be read/,
    );
  });
});
