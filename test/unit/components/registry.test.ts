import assert from "node:assert/strict";
import { type Recording, SECRET, record } from "./recorder";
import { Scene, field, one } from "./scene";

const HOST = "registry.dev-registry.svc.cluster.local";
const PASSWORD = "generated-registry-password";

describe("Registry", () => {
  let recording: Recording;
  before(async () => {
    recording = await record(() => {
      const registry = new Scene().registry("registry", { address: "198.51.100.7", storage: "9Gi" });
      return { pullSecret: registry.pullSecret("dev-apps", "apps"), password: registry.password };
    });
  });

  it("keeps key and login in secrets only", () => {
    assert.equal(recording.outputs.password, SECRET);
    const shown = JSON.stringify(recording.resources.map(({ inputs }) => inputs));
    for (const secret of ["key of the tests", PASSWORD, "hashed-registry-password"]) assert.ok(!shown.includes(secret));
    assert.deepEqual(one(recording, "Secret", "registry-tls").opened.stringData, {
      "tls.crt": "certificate of the tests",
      "tls.key": "key of the tests",
    });
  });

  it("knows its users by the hash of their password", () => {
    const { stringData } = one(recording, "Secret", "registry-users").opened;
    assert.deepEqual(stringData, { htpasswd: "platform:hashed-registry-password\n" });
  });

  it("makes the pull secret that a kubelet understands", () => {
    const secret = one(recording, "Secret", "registry-apps-regcred");
    assert.equal(secret.inputs.type, "kubernetes.io/dockerconfigjson");
    assert.deepEqual(secret.inputs.metadata, { name: "regcred", namespace: "dev-apps" });
    assert.equal(recording.outputs.pullSecret, "regcred");
    const text = (secret.opened.stringData as Record<string, string>)[".dockerconfigjson"] ?? "";
    const auth = Buffer.from(`platform:${PASSWORD}`).toString("base64");
    assert.deepEqual(JSON.parse(text), { auths: { [HOST]: { username: "platform", password: PASSWORD, auth } } });
  });

  it("answers over TLS at the address it is told, and at any where it is told none", async () => {
    const spec = field(one(recording, "Service"), "spec") as Record<string, unknown>;
    assert.equal(spec.loadBalancerIP, "198.51.100.7");
    assert.deepEqual(spec.ports, [{ name: "https", port: 443, targetPort: "https" }]);
    const { data } = one(recording, "ConfigMap").inputs as { data: Record<string, string> };
    assert.match(data["config.yml"] ?? "", /tls: \{ certificate: .*minimumtls: tls1\.[23]/);
    const anywhere = await record(() => void new Scene().registry());
    assert.equal(field(one(anywhere, "Service"), "spec.loadBalancerIP"), undefined);
  });

  it("lets in who is no pod, on its one port", () => {
    const spec = field(one(recording, "NetworkPolicy"), "spec") as { ingress: unknown };
    assert.deepEqual(spec.ingress, [
      {
        from: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.1.0.0/24", "10.1.1.0/24"] } }],
        ports: [{ protocol: "TCP", port: 5000 }],
      },
    ]);
  });

  it("never has two pods on the volume with the images", () => {
    const server = one(recording, "Deployment");
    assert.equal(field(server, "spec.strategy.type"), "Recreate");
    assert.equal(field(server, "spec.replicas"), 1);
    assert.equal(field(one(recording, "PersistentVolumeClaim"), "spec.resources.requests.storage"), "9Gi");
  });
});
