import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { layoutOf } from "../../../sandbox/layout";
import { isSettled, remember } from "../../../sandbox/settled";

const GIVEN = ["/store/crds", "kind: Deployment"];
const condition = (status: string): object => ({ conditions: [{ type: "Ready", status }] });

describe("a cluster that came up before", () => {
  const dir = mkdtempSync(join(tmpdir(), "settled-"));
  const layout = layoutOf("test", 3, dir);
  after(() => rmSync(dir, { recursive: true }));

  const node = (name: string): object => ({
    kind: "Node",
    metadata: { name },
    spec: { podCIDR: "198.18.16.0/24" },
    status: condition("True"),
  });
  const dns = {
    kind: "Deployment",
    metadata: { name: "coredns", generation: 2 },
    spec: { replicas: 2 },
    status: { observedGeneration: 2, readyReplicas: 2, updatedReplicas: 2 },
  };
  const nodes = layout.nodes.map(({ name }) => node(name));
  let asked = 0;
  const settled = (items: readonly object[], given = GIVEN): Promise<boolean> => {
    const ask = (): Promise<string> => Promise.resolve(JSON.stringify({ items: (asked++, items) }));
    return isSettled(layout, given, ask, ["coredns"]);
  };

  it("is looked at anew where nobody wrote down what it was given", async () => {
    assert.equal(await settled([...nodes, dns]), false);
    assert.equal(asked, 0);
  });

  it("is left alone where it was given the same and all is well, after one question", async () => {
    remember(layout, GIVEN);
    assert.equal(await settled([...nodes, dns]), true);
    assert.equal(asked, 1);
  });

  it("is not where it would be given something else", async () => {
    assert.equal(await settled([...nodes, dns], ["/store/crds", "kind: DaemonSet"]), false);
  });

  it("is not where a node or a deployment is missing, not ready or not up to date", async () => {
    const broken = [
      [],
      nodes,
      [...nodes.slice(1), dns],
      [...nodes.slice(1), { ...nodes[0], status: condition("Unknown") }, dns],
      [...nodes.slice(1), { ...nodes[0], spec: {} }, dns],
      [...nodes, { ...dns, status: { ...dns.status, readyReplicas: 1 } }],
      [...nodes, { ...dns, status: { ...dns.status, updatedReplicas: 1 } }],
      [...nodes, { ...dns, status: { ...dns.status, observedGeneration: 1 } }],
    ];
    for (const items of broken) assert.equal(await settled(items), false, JSON.stringify(items));
  });

  it("is not where it does not answer", async () => {
    const ask = (): Promise<string> => Promise.reject(new Error("connection refused"));
    assert.equal(await isSettled(layout, GIVEN, ask, ["coredns"]), false);
  });
});
