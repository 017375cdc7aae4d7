import assert from "node:assert/strict";
import type * as Plan from "../../../components/appWorkload/switch/plan.mjs" with {
  "resolution-mode": "import",
};

const LIMITS = { errors: 1, latency: 1200 };

const pod = (status: object): object => ({ metadata: { name: "web-green-1" }, status });
const container = (state: object): object => pod({ containerStatuses: [{ ready: false, restartCount: 0, ...state }] });

describe("what a switch decides", () => {
  let plan: typeof Plan;
  before(async () => {
    plan = await import("../../../components/appWorkload/switch/plan.mjs");
  });

  it("gives a release to the colour that does not serve, and the requests back to the one that does", () => {
    assert.deepEqual(plan.planOf("b", "blue", { blue: "a" }), { target: "green", old: "blue", stays: false });
    assert.deepEqual(plan.planOf("c", "green", { blue: "a", green: "b" }), {
      target: "blue",
      old: "green",
      stays: false,
    });
    // Also where the other holds it already: a switch that was begun anew, or one that was rejected.
    assert.deepEqual(plan.planOf("b", "blue", { blue: "a", green: "b" }), {
      target: "green",
      old: "blue",
      stays: false,
    });
  });

  it("leaves a release where it serves, and begins with blue where none does", () => {
    assert.deepEqual(plan.planOf("a", "blue", { blue: "a", green: "b" }), { target: "blue", stays: true });
    assert.deepEqual(plan.planOf("a", undefined, {}), { target: "blue", stays: false });
  });

  it("shares out by steps for a canary beside an old version, and else at once", () => {
    const canary = { type: "canary", steps: [10, 50] };
    assert.deepEqual(plan.sharesOf(canary, "blue"), [10, 50, 100]);
    assert.deepEqual(plan.sharesOf(canary), [100]);
    assert.deepEqual(plan.sharesOf({ type: "blue-green", steps: [] }, "blue"), [100]);
    assert.deepEqual(plan.weightsOf("green", 10), { green: 10, blue: 90 });
  });

  it("takes a Deployment for rolled out when all of it is new and ready, and never when it is none", () => {
    const deployment = (replicas: number, status: object): object => ({
      metadata: { generation: 2 },
      spec: { replicas },
      status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2, ...status },
    });
    assert.ok(plan.isRolledOut(deployment(2, {})));
    for (const behind of [{ observedGeneration: 1 }, { replicas: 3 }, { updatedReplicas: 1 }, { availableReplicas: 1 }])
      assert.ok(!plan.isRolledOut(deployment(2, behind)), JSON.stringify(behind));
    assert.ok(!plan.isRolledOut(deployment(0, { replicas: 0, updatedReplicas: 0, availableReplicas: 0 })));
  });

  it("gives up on pods that cannot start, with their own reason, and on no other", () => {
    const image = { state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } } };
    assert.equal(plan.hopeless([container(image)]), "web-green-1: ImagePullBackOff no such image");
    const ended = { lastState: { terminated: { exitCode: 1, reason: "Error", message: "no KEY\n" } } };
    assert.equal(
      plan.hopeless([container({ ...ended, restartCount: 2 })]),
      "web-green-1 ended 2 times, at last with exit 1, no KEY",
    );
    assert.equal(plan.hopeless([container({ ...ended, restartCount: 1 }), pod({})]), undefined);
    assert.equal(plan.hopeless([container({ state: { waiting: { reason: "ContainerCreating" } } })]), undefined);
  });

  it("says what keeps pods from being ready", () => {
    const unplaced = pod({ conditions: [{ type: "PodScheduled", status: "False", message: "no node fits" }] });
    assert.equal(plan.ailments({}, [unplaced]), "web-green-1: no node fits");
    const silent = container({ state: { running: {} } });
    assert.equal(plan.ailments({}, [silent]), "web-green-1: runs, and its readiness probe is not answered");
    const quota = { status: { conditions: [{ type: "ReplicaFailure", message: "exceeded quota" }] } };
    assert.equal(plan.ailments(quota, []), "exceeded quota");
    assert.equal(plan.ailments({}, []), "no pod of it was made");
  });

  it("reads what Prometheus counted, and what was added since", () => {
    const data = { result: [{ metric: { code: "200" }, value: [0, "17"] }] };
    assert.deepEqual(plan.tallyOf({ data }, "code"), { "200": 17 });
    assert.deepEqual(plan.since({ "200": 5, "500": 9 }, { "200": 17, "500": 2, "404": 1 }), {
      "200": 12,
      "500": 2,
      "404": 1,
    });
  });

  it("is against a version that fails more often than it may", () => {
    const found = (codes: Record<string, number>): string | undefined => plan.against({ codes, buckets: {} }, LIMITS);
    assert.equal(
      found({ "200": 90, "404": 7, "500": 2, "503": 1 }),
      "3 of 100 requests at the edge failed with 5xx; 1 % may",
    );
    assert.equal(found({ "200": 997, "500": 3 }), undefined);
    // Two of three tell nothing.
    assert.equal(found({ "200": 1, "500": 2 }), undefined);
    assert.equal(found({}), undefined);
  });

  it("is against a version that is too slow too often", () => {
    const buckets = { "0.3": 80, "1.2": 90, "5": 99, "+Inf": 100 };
    assert.equal(
      plan.against({ codes: {}, buckets }, LIMITS),
      "10 of 100 requests at the edge took longer than 1200 ms; 5 % may",
    );
    assert.equal(plan.against({ codes: {}, buckets }, { ...LIMITS, latency: 3000 }), undefined);
    // What is beyond all buckets cannot be told.
    assert.equal(plan.against({ codes: {}, buckets }, { ...LIMITS, latency: 9000 }), undefined);
  });

  it("bears with two failures of its own requests, and names the last of three", () => {
    assert.equal(plan.refusal(["one", "two"]), undefined);
    assert.equal(plan.refusal(["one", "two", "three"]), "3 requests of the switch failed, at last three");
  });
});
