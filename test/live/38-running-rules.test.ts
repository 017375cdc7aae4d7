import assert from "node:assert/strict";
import { NAME, apply, broughtUp, kubectl, platform } from "./world";

const STACK = "dev";
const APPS = `${STACK}-apps`;

describe("policy:check: the rules on a running stack", function () {
  this.timeout(600_000);

  before(broughtUp);

  it("finds no rule broken by what runs, exempt what is exempt with its reason", async () => {
    const { code, out, err } = await platform("policyCheck", ["--stack", STACK, "--name", NAME, "--json"]);
    const rows = JSON.parse(out) as { level: string; message: string }[];
    assert.deepEqual(
      rows.filter(({ level }) => level === "mandatory").map(({ message }) => message),
      [],
    );
    assert.equal(code, 0, err);
    assert.match(err, /^stack dev: waived until .*DaemonSet platform-nodes\/node-exporter/m);
    assert.doesNotMatch(err, /^unreadable/m);
  });

  it("finds the rules that a hand broke in what runs", async () => {
    const metadata = { name: "by-hand", namespace: APPS, labels: { "app.kubernetes.io/name": "nobody" } };
    const spec = { selector: { app: "nobody" }, ports: [{ port: 80 }] };
    const password = "correct-horse-battery";
    await apply({ apiVersion: "v1", kind: "Service", metadata, spec });
    await apply({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { DB_PASSWORD: password } });
    try {
      const { code, out } = await platform("policyCheck", ["--stack", STACK, "--name", NAME, "--json"]);
      const rows = JSON.parse(out) as { level: string; rule: string; name: string }[];
      assert.equal(code, 1);
      assert.deepEqual(
        rows
          .filter(({ level }) => level === "mandatory")
          .map(({ rule, name }) => `${rule} ${name}`)
          .sort(),
        ["secret-literal by-hand", "service-selects by-hand"],
      );
      assert.ok(!out.includes(password));
    } finally {
      await kubectl(["delete", "service,configmap", "by-hand", "-n", APPS]);
    }
  });
});
