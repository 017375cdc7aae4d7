import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { until } from "../../../sandbox/processes";

const HOST = "registry.dev-registry.svc.cluster.local";

describe("the scripts on kind's nodes", () => {
  let root: string;
  beforeEach(() => (root = fs.mkdtempSync(path.join(os.tmpdir(), "kind-node-"))));
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  const teach = (address: string): void => {
    const args = ["sandbox/kind-node.sh", "-----BEGIN\nthe CA", `${HOST}=${address}`];
    const { status, stderr } = spawnSync("bash", args, { env: { ...process.env, ROOT: root }, encoding: "utf8" });
    assert.equal(status, 0, stderr);
  };

  it("a node learns the registry's address and its certificate, and forgets the old address", () => {
    fs.mkdirSync(path.join(root, "etc"));
    const hosts = path.join(root, "etc/hosts");
    fs.writeFileSync(hosts, "127.0.0.1 localhost\n172.18.0.2 k-control-plane\n");
    const { ino } = fs.statSync(hosts);
    teach("172.18.0.2");
    teach("172.18.0.9");
    assert.equal(
      fs.readFileSync(hosts, "utf8"),
      `127.0.0.1 localhost\n172.18.0.2 k-control-plane\n172.18.0.9 ${HOST} # platform\n`,
    );
    assert.equal(fs.statSync(hosts).ino, ino, "a mounted file can only be written in place");
    assert.equal(fs.readFileSync(path.join(root, "etc/platform/ca.crt"), "utf8"), "-----BEGIN\nthe CA\n");
    assert.equal(
      fs.readFileSync(path.join(root, `etc/containerd/certs.d/${HOST}/hosts.toml`), "utf8"),
      `server = "https://${HOST}"\n[host."https://${HOST}"]\n  capabilities = ["pull", "resolve"]\n  ca = "/etc/platform/ca.crt"\n`,
    );
  });

  it("the cloud gives a Service its environment's address, once, and mends a wrong one", async () => {
    const calls = path.join(root, "calls");
    const listed = "dev-registry registry \ndev-apps web 172.18.0.2\nqa-apps web 172.18.0.99\nother web \n";
    // A watch that has just ended leaves the pause before the next one to look around.
    const kubectl = `#!/bin/sh\nif [ "$1" = get ]; then printf '${listed}'; else echo "$*" >>${calls}; fi\n`;
    fs.writeFileSync(path.join(root, "kubectl"), kubectl, { mode: 0o755 });
    const cloud = spawn("bash", ["sandbox/kind-cloud.sh", "dev=172.18.0.2", "qa=172.18.0.3"], {
      env: { ...process.env, PATH: `${root}:${process.env.PATH}` },
      stdio: "ignore",
    });
    try {
      const made = (): string[] =>
        fs.existsSync(calls) ? fs.readFileSync(calls, "utf8").trim().split("\n").slice(0, 2) : [];
      assert.ok(await until(() => made().length === 2, 10_000, 50));
      const patch = (name: string, namespace: string, ip: string): string =>
        `patch service ${name} --namespace ${namespace} --subresource status --type merge --patch ` +
        JSON.stringify({ status: { loadBalancer: { ingress: [{ ip }] } } });
      assert.deepEqual(made(), [
        patch("registry", "dev-registry", "172.18.0.2"),
        patch("web", "qa-apps", "172.18.0.3"),
      ]);
    } finally {
      cloud.kill("SIGKILL");
    }
  });
});
