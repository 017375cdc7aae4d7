import assert from "node:assert/strict";
import fc from "fast-check";
import { assignAddresses } from "../../../sandbox/cloud";
import { PROMISED_ADDRESSES } from "../../../sandbox/layout";

type Service = Parameters<typeof assignAddresses>[0][number];

const at = (index: number): string => `198.18.1.${index}`;
const FIRST = at(PROMISED_ADDRESSES + 1);

let made = 0;
function service(change: { has?: string; asks?: string; type?: string } = {}): Service {
  return {
    metadata: { name: `service-${made++}`, namespace: "dev-apps", resourceVersion: "1" },
    spec: { type: change.type ?? "LoadBalancer", ...(change.asks ? { loadBalancerIP: change.asks } : {}) },
    status: change.has ? { loadBalancer: { ingress: [{ ip: change.has }] } } : {},
  };
}

const given = (...services: Service[]): (string | undefined)[] => {
  const changes = assignAddresses(services, at);
  return services.map((each) => changes.get(each));
};

describe("load balancer addresses", () => {
  it("go to Services of that type only", () => {
    assert.deepEqual(given(service({ type: "ClusterIP" }), service(), service({ type: "NodePort" })), [
      undefined,
      FIRST,
      undefined,
    ]);
  });

  it("stay once given", () => {
    assert.deepEqual(given(service({ has: at(200) }), service({ has: at(3), asks: at(4) })), [undefined, undefined]);
  });

  it("are what a Service asks for, if that is free", () => {
    assert.deepEqual(given(service({ asks: at(2) }), service({ asks: at(2) })), [at(2), FIRST]);
    assert.deepEqual(given(service({ has: at(2) }), service({ asks: at(2) })), [undefined, FIRST]);
    assert.deepEqual(given(service({ asks: "192.0.2.1" })), [FIRST]);
  });

  it("leave the promised ones to those who ask, however late they come", () => {
    const early = Array.from({ length: 20 }, () => service());
    const changes = assignAddresses(early, at);
    const later = early.map((each) => service({ has: changes.get(each) }));
    assert.deepEqual(given(...later, service({ asks: at(2) })).at(-1), at(2));
  });

  it("run out without anyone losing what they have", () => {
    const all = Array.from({ length: 254 }, (_, index) => service({ has: at(index + 1) }));
    assert.equal(assignAddresses([...all, service()], at).size, 0);
  });

  it("are never given twice", () => {
    const address = fc.integer({ min: 1, max: 30 }).map(at);
    const services = fc.tuple(
      fc.uniqueArray(address, { maxLength: 10 }),
      fc.array(fc.option(address, { nil: undefined }), { maxLength: 20 }),
    );
    fc.assert(
      fc.property(services, ([taken, asked]) => {
        const all = [...taken.map((has) => service({ has })), ...asked.map((asks) => service({ asks }))];
        const changes = assignAddresses(all, at);
        const held = [...taken, ...changes.values()];
        assert.equal(new Set(held).size, held.length);
        assert.equal(changes.size, asked.length);
      }),
    );
  });
});
