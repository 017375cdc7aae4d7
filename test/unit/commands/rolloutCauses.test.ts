import assert from "node:assert/strict";
import { type Rollout, type Seen, detailOf, rolloutsIn } from "../../../commands/rolloutCauses";

const NOW = new Date("2026-01-01T00:10:00Z");
const NAMESPACE = "dev-apps";
type Item = Seen["items"][number];
type Status = NonNullable<NonNullable<Item["status"]>["containerStatuses"]>[number];

interface Scene {
  readonly ready?: number;
  readonly container?: Partial<Status>;
  readonly set?: Item["status"];
  readonly pod?: Item["status"];
  readonly late?: boolean;
}

/** A Deployment with an old revision that serves, and a new one whose pod is as the test says. */
function seen({ ready = 0, container, set, pod, late }: Scene): Seen {
  const revision = (number: number): Record<string, string> => ({
    "deployment.kubernetes.io/revision": String(number),
  });
  const owned = (uid: string): { ownerReferences: { uid: string }[] } => ({ ownerReferences: [{ uid }] });
  const image = (digit: number): NonNullable<Item["spec"]> => ({
    template: { spec: { containers: [{ image: `web:${digit}` }] } },
  });
  const conditions = late ? [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }] : [];
  return {
    items: [
      {
        kind: "Deployment",
        metadata: {
          name: "web-blue",
          namespace: NAMESPACE,
          uid: "d",
          labels: { "app.kubernetes.io/name": "web" },
          annotations: revision(2),
        },
        spec: { replicas: 1 },
        status: { conditions },
      },
      {
        kind: "ReplicaSet",
        metadata: { name: "old", namespace: NAMESPACE, uid: "r1", annotations: revision(1), ...owned("d") },
        spec: image(1),
        status: { readyReplicas: 1 },
      },
      {
        kind: "ReplicaSet",
        metadata: { name: "new", namespace: NAMESPACE, uid: "r2", annotations: revision(2), ...owned("d") },
        spec: image(2),
        status: { readyReplicas: ready, ...set },
      },
      {
        kind: "Pod",
        metadata: { name: "new-1", namespace: NAMESPACE, ...owned("r2") },
        status: { containerStatuses: container ? [{ name: "app", ...container }] : [], ...pod },
      },
    ],
  };
}

function only(scene: Scene): Rollout {
  const [rollout, ...more] = rolloutsIn(seen(scene), NOW);
  assert.ok(rollout && more.length === 0);
  return rollout;
}

describe("why a new version does not get ready", () => {
  const causes: Record<string, [Scene, RegExp, boolean]> = {
    "its image is missing": [
      { container: { state: { waiting: { reason: "ImagePullBackOff", message: 'image "web:2" not found' } } } },
      /^its image cannot be pulled: image "web:2" not found$/,
      true,
    ],
    "it crashes again and again": [
      {
        container: {
          restartCount: 2,
          state: { waiting: { reason: "CrashLoopBackOff" } },
          lastState: { terminated: { reason: "Error", exitCode: 3 } },
        },
      },
      /^it ends with exit code 3$/,
      true,
    ],
    "it runs out of memory": [
      { container: { restartCount: 2, lastState: { terminated: { reason: "OOMKilled", exitCode: 137 } } } },
      /^it ends with exit code 137, OOMKilled$/,
      true,
    ],
    "it crashed once, and may yet come": [
      { container: { restartCount: 1, lastState: { terminated: { exitCode: 1 } } } },
      /exit code 1/,
      false,
    ],
    "it runs for long and is not ready": [
      { container: { state: { running: { startedAt: "2026-01-01T00:08:00Z" } } } },
      /^it runs and is not ready$/,
      true,
    ],
    "it has just started": [
      { container: { state: { running: { startedAt: "2026-01-01T00:09:50Z" } } } },
      /^it runs and is not ready$/,
      false,
    ],
    "a secret is missing": [
      {
        container: {
          state: { waiting: { reason: "CreateContainerConfigError", message: 'secret "web-env" not found' } },
        },
      },
      /^it cannot be started: secret "web-env" not found$/,
      true,
    ],
    "a policy refuses its pods": [
      {
        set: {
          conditions: [{ type: "ReplicaFailure", status: "True", message: "pods are forbidden: violates PodSecurity" }],
        },
      },
      /^pods are forbidden: violates PodSecurity$/,
      true,
    ],
    "no node has room": [
      { pod: { conditions: [{ type: "PodScheduled", status: "False", message: "Insufficient cpu" }] } },
      /^no node takes it: Insufficient cpu$/,
      false,
    ],
    "nothing says why": [{}, /^its pods are not ready$/, false],
  };
  for (const [why, [scene, cause, isSure]] of Object.entries(causes))
    it(`is told where ${why}`, () => {
      const found = only(scene);
      assert.match(found.cause, cause);
      assert.deepEqual([found.app, found.image, found.revision, found.isSure], ["web", "web:2", "d 2", isSure]);
    });

  it("is no question where it is ready, however it came there", () => {
    const { isSure, isLate } = only({ ready: 1, late: true, container: { ready: true, restartCount: 3 } });
    assert.deepEqual([isSure, isLate], [false, false]);
  });

  it("is asked where the cluster has given it up", () => assert.equal(only({ late: true }).isLate, true));

  it("is said with what the kubelet heard", () => {
    const events = [
      { reason: "Pulled", message: "pulled" },
      { reason: "Unhealthy", message: "Readiness probe failed: HTTP probe failed with statuscode: 503" },
    ];
    assert.match(detailOf("it runs and is not ready", events), /^it runs and is not ready: Readiness probe .*503$/);
    assert.equal(detailOf("it runs", []), "it runs");
  });
});
