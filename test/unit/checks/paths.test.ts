import assert from "node:assert/strict";
import { type Party, type Policy, isDeclared, policiesOf } from "../../../checks/paths";

const NAME = "kubernetes.io/metadata.name";
const pod = (namespace: string, name: string, ip: string): Party => ({
  ip,
  namespace,
  namespaceLabels: { [NAME]: namespace },
  labels: { name },
});
const web = pod("apps", "web", "10.0.0.1");
const redis = pod("data", "redis", "10.0.0.2");
const node: Party = { ip: "192.0.2.7" };

const policy = (namespace: string, spec: Partial<Policy["spec"]>): Policy => ({
  metadata: { namespace },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"], ...spec },
});
const denied = [policy("apps", {}), policy("data", {})];
const peer = (namespace: string, name: string): object => ({
  namespaceSelector: { matchLabels: { [NAME]: namespace } },
  podSelector: { matchLabels: { name } },
});
const out = policy("apps", {
  podSelector: { matchLabels: { name: "web" } },
  policyTypes: ["Egress"],
  egress: [{ to: [peer("data", "redis")], ports: [{ protocol: "TCP", port: 6379 }] }],
});
const into = policy("data", {
  podSelector: { matchLabels: { name: "redis" } },
  policyTypes: ["Ingress"],
  ingress: [{ from: [peer("apps", "web")], ports: [{ protocol: "TCP", port: 6379 }] }],
});

describe("a declared path", () => {
  it("is open where both sides open it, to that port and from that pod", () => {
    const all = [...denied, out, into];
    assert.equal(isDeclared(all, web, redis, 6379), true);
    assert.equal(isDeclared(all, web, redis, 16379), false);
    assert.equal(isDeclared(all, redis, web, 6379), false);
    assert.equal(isDeclared(all, pod("apps", "other", "10.0.0.3"), redis, 6379), false);
    assert.equal(isDeclared(all, web, pod("data", "other", "10.0.0.4"), 6379), false);
  });

  it("is closed where one side is, and open where nothing denies", () => {
    assert.equal(isDeclared([...denied, out], web, redis, 6379), false);
    assert.equal(isDeclared([...denied, into], web, redis, 6379), false);
    assert.equal(isDeclared([], web, redis, 6379), true);
  });

  it("counts addresses, but not those that are left out", () => {
    const range = (cidr: string, except: string[]): Policy =>
      policy("apps", { policyTypes: ["Egress"], egress: [{ to: [{ ipBlock: { cidr, except } }] }] });
    const opened = (cidr: string, ...except: string[]): boolean =>
      isDeclared([...denied, range(cidr, except)], web, node, 443);
    assert.equal(opened("192.0.2.0/24"), true);
    assert.equal(opened("192.0.2.0/24", "192.0.2.0/28"), false);
    assert.equal(opened("198.51.100.0/24"), false);
  });

  it("leads within its own namespace where it names none, and is no UDP port", () => {
    const beside = policy("apps", {
      egress: [{ to: [{ podSelector: {} }], ports: [{ protocol: "UDP", port: 53 }, { port: 80 }] }],
      ingress: [{}],
    });
    const other = pod("apps", "other", "10.0.0.3");
    assert.equal(isDeclared([beside], web, other, 80), true);
    assert.equal(isDeclared([beside], web, other, 53), false);
    assert.equal(isDeclared([beside], web, redis, 80), false);
  });

  it("is not guessed from a selector that it does not understand", () => {
    const strange = policy("apps", { podSelector: { matchExpressions: [] } as object });
    assert.throws(() => isDeclared([strange], web, redis, 1), /matchExpressions, which is not understood/);
  });

  it("is read from the stack's own NetworkPolicies", () => {
    const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
    const inputs = out as unknown as Record<string, unknown>;
    assert.deepEqual(
      policiesOf([
        { urn: "a", type, inputs },
        { urn: "b", type: "kubernetes:core/v1:Pod", inputs },
      ]),
      [out],
    );
  });
});
