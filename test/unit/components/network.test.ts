import assert from "node:assert/strict";
import { type Peer, admit, fromOutsidePods, link, reach } from "../../../components/lib/network";
import { type Registered, record } from "./recorder";
import { Scene, field } from "./scene";

const peer = (name: string, namespace: string): Peer => ({ name, namespace, selector: { app: name } });
const [web, worker, redis] = [peer("web", "dev-apps"), peer("worker", "dev-apps"), peer("redis", "dev-data")];

async function policies(make: (scene: Scene) => void): Promise<Registered[]> {
  const { resources } = await record(() => make(new Scene()));
  return resources.filter(({ type }) => type.endsWith(":NetworkPolicy"));
}

describe("a link", () => {
  it("opens one direction only, on each side for the pods of the other", async () => {
    const [egress, ingress, ...rest] = await policies((scene) => link(web, redis, 6379, scene.opts));
    assert.deepEqual(rest, []);
    assert.deepEqual(field(egress as Registered, "spec.policyTypes"), ["Egress"]);
    assert.deepEqual(field(egress as Registered, "spec.podSelector"), { matchLabels: { app: "web" } });
    assert.equal(field(egress as Registered, "spec.ingress"), undefined);
    assert.deepEqual(field(ingress as Registered, "spec.policyTypes"), ["Ingress"]);
    assert.deepEqual(field(ingress as Registered, "spec.podSelector"), { matchLabels: { app: "redis" } });
    assert.equal(field(ingress as Registered, "spec.egress"), undefined);
  });

  it("asks for namespace and pod at once, for two entries would mean either", async () => {
    const [egress] = await policies((scene) => link(web, redis, 6379, scene.opts));
    const to = field(egress as Registered, "spec.egress.0.to") as object[];
    assert.equal(to.length, 1);
    assert.deepEqual(Object.keys(to[0] ?? {}).sort(), ["namespaceSelector", "podSelector"]);
  });

  it("of a second pod does not touch the first one's", async () => {
    const found = await policies((scene) => {
      link(web, redis, 6379, scene.opts);
      link(worker, redis, 6379, scene.opts);
    });
    const objects = found.map(
      (each) => `${field(each, "metadata.namespace") as string}/${field(each, "metadata.name") as string}`,
    );
    assert.equal(new Set(objects).size, 4);
  });
});

describe("the halves of a link", () => {
  it("are written by a stack each, and are the link together", async () => {
    const inputsOf = (found: Registered[]): unknown[] => found.map(({ inputs }) => inputs);
    const [out] = inputsOf(await policies((scene) => void reach(web, redis, 6379, scene.opts)));
    const [into] = inputsOf(await policies((scene) => void admit(web, redis, 6379, scene.opts)));
    const whole = inputsOf(await policies((scene) => link(web, redis, 6379, scene.opts)));
    assert.deepEqual([out, into], whole);
    assert.notDeepEqual(out, into);
  });
});

describe("the way in from outside", () => {
  it("leaves every pod out", async () => {
    const cidrs = ["10.0.0.0/24", "10.0.1.0/24"];
    const [policy] = await policies((scene) => fromOutsidePods(web, 443, cidrs, scene.opts));
    assert.deepEqual(field(policy as Registered, "spec.ingress"), [
      { from: [{ ipBlock: { cidr: "0.0.0.0/0", except: cidrs } }], ports: [{ protocol: "TCP", port: 443 }] },
    ]);
    assert.deepEqual(field(policy as Registered, "spec.policyTypes"), ["Ingress"]);
  });
});
