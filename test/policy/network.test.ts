import assert from "node:assert/strict";
import { type Manifest, UNKNOWN } from "../../policy/rules/manifest";
import { networkPolicy } from "../../policy/rules/network";
import { carry, container, everyKind, faultsIn, policy, template } from "./manifests";

const BOTH = ["Ingress", "Egress"];
const { manifest: web } = carry("Deployment", template([container()]));

/** Directions in which the first object is found open; "?" where that is undecidable. */
function open(...set: Manifest[]): string[] {
  return (faultsIn(networkPolicy, set)[0] ?? []).map(
    ({ found, undecidable }) => (/Ingress|Egress/.exec(found)?.[0] ?? found) + (undecidable ? "?" : ""),
  );
}

describe("rule network-policy", () => {
  for (const { kind, manifest } of everyKind(template([container()]))) {
    it(`passes a ${kind} that one policy selects both ways`, () => {
      assert.deepEqual(open(manifest, policy({ podSelector: { matchLabels: { app: "web" } }, policyTypes: BOTH })), []);
    });
  }

  for (const { kind, manifest, path } of everyKind(template([container()]))) {
    it(`fails a ${kind} that no policy selects`, () => {
      const faults = faultsIn(networkPolicy, [
        manifest,
        policy({ podSelector: { matchLabels: { app: "other" } }, policyTypes: BOTH }),
      ])[0];
      assert.deepEqual(
        faults?.map((fault) => fault.path),
        [`${path}metadata.labels`, `${path}metadata.labels`],
      );
      assert.match(
        faults?.[0]?.found ?? "",
        /^\{app: web.*\} is selected by no NetworkPolicy for Ingress in namespace dev-apps$/,
      );
    });
  }

  it("is satisfied by a namespace's default deny", () => {
    assert.deepEqual(open(web, policy({ podSelector: {}, policyTypes: BOTH })), []);
  });

  it("adds up several policies", () => {
    const one = policy({ podSelector: {}, policyTypes: ["Ingress"] });
    assert.deepEqual(open(web, one), ["Egress"]);
    assert.deepEqual(open(web, one, policy({ podSelector: {}, policyTypes: ["Egress"] })), []);
  });

  it("does not count a policy of another namespace, or one of another API group", () => {
    const elsewhere = policy({ podSelector: {}, policyTypes: BOTH }, "dev-data");
    const calico = { ...policy({ policyTypes: BOTH }), apiVersion: "projectcalico.org/v3" };
    assert.deepEqual(open(web, elsewhere, calico), BOTH);
  });

  it("fills in policyTypes as the API server does", () => {
    assert.deepEqual(open(web, policy({ podSelector: {} })), ["Egress"]);
    assert.deepEqual(open(web, policy({ podSelector: {}, egress: [] })), ["Egress"]);
    assert.deepEqual(open(web, policy({ podSelector: {}, egress: [{}] })), []);
    assert.deepEqual(open(web, policy({ podSelector: {}, policyTypes: [], egress: [{}] })), []);
    assert.deepEqual(open(web, policy({ podSelector: {}, policyTypes: ["Egress"] })), ["Ingress"]);
    assert.deepEqual(open(web, policy(undefined)), ["Egress"]);
  });

  it("joins objects without a namespace with each other and with default", () => {
    const { manifest } = carry("Pod", template([container()]), { namespace: undefined });
    assert.deepEqual(open(manifest, policy({ podSelector: {}, policyTypes: BOTH }, undefined)), BOTH);
    assert.deepEqual(open(manifest, policy({ podSelector: {}, policyTypes: BOTH }, "default")), []);
    assert.deepEqual(open(manifest, policy({ podSelector: {}, policyTypes: BOTH }, null)), []);
  });

  it("refuses the network of the node, which no policy reaches", () => {
    const { manifest } = carry("DaemonSet", template([container()], { hostNetwork: true }));
    const [fault, ...more] =
      faultsIn(networkPolicy, [manifest, policy({ podSelector: {}, policyTypes: BOTH })])[0] ?? [];
    assert.equal(fault?.path, "spec.template.spec.hostNetwork");
    assert.equal(more.length, 0);
  });

  it("knows the label by which a policy selects a Job's pods", () => {
    const { manifest } = carry("Job", { spec: { containers: [] } }, { name: "init" });
    const byName = policy({ podSelector: { matchLabels: { "job-name": "init" } }, policyTypes: BOTH });
    assert.deepEqual(open(manifest, byName), []);
  });

  it("cannot decide where only an unknown could make the policy fit", () => {
    const unknownNamespace = policy({ podSelector: {}, policyTypes: BOTH }, UNKNOWN);
    assert.deepEqual(open(web, unknownNamespace), ["Ingress?", "Egress?"]);
    assert.deepEqual(open(web, policy({ podSelector: {}, policyTypes: UNKNOWN })), ["Ingress?", "Egress?"]);
    assert.deepEqual(open(web, policy(UNKNOWN)), ["Ingress?", "Egress?"]);
  });

  it("decides in spite of unknowns where they change nothing", () => {
    const other = policy({ podSelector: { matchLabels: { app: "other" } }, policyTypes: BOTH }, UNKNOWN);
    assert.deepEqual(open(web, other), BOTH);
    assert.deepEqual(open(web, other, policy({ podSelector: {}, policyTypes: BOTH })), []);
    const { manifest } = carry("Deployment", { metadata: { labels: UNKNOWN }, spec: UNKNOWN });
    assert.deepEqual(open(manifest, policy({ podSelector: {}, policyTypes: BOTH })), []);
  });
});
