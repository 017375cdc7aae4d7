import assert from "node:assert/strict";
import { serviceFence, templateFence } from "../../../components/access/fence";
import { type Request, refusals as refusalsOf } from "./admission";

const GROUP = "platform:dev-developers";

const refusals = (spec: unknown, request: Request): string[] => refusalsOf(spec, { groups: [GROUP], ...request });

const templates = templateFence([GROUP, "platform:dev-leads"]);
const services = serviceFence([GROUP]);

type Pod = Readonly<Record<string, unknown>>;
const plain: Pod = { containers: [{ name: "app", image: "a", env: [{ name: "A", value: "1" }] }] };
const secretEnv: Pod = {
  containers: [{ name: "app", image: "a", envFrom: [{ secretRef: { name: "visit-tracker-redis" } }] }],
};

/** The same pod template in each kind that has one. */
const kinds: Record<string, (pod: Pod) => object> = {
  Pod: (pod) => ({ kind: "Pod", spec: pod }),
  Deployment: (pod) => ({ kind: "Deployment", spec: { replicas: 1, template: { spec: pod } } }),
  CronJob: (pod) => ({ kind: "CronJob", spec: { jobTemplate: { spec: { template: { spec: pod } } } } }),
};

const container = (more: object): Pod => ({ containers: [{ name: "app", image: "a", ...more }] });
const volume = (more: object): Pod => ({ ...plain, volumes: [{ name: "v", ...more }] });
const token = { serviceAccountToken: { path: "token" } };

const allowed: Record<string, Pod> = {
  "a plain pod": plain,
  "what is no Secret": container({
    env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } }],
    envFrom: [{ configMapRef: { name: "c" } }],
  }),
  "volumes without a Secret": {
    ...plain,
    volumes: [
      { name: "a", emptyDir: {} },
      { name: "b", configMap: { name: "c" } },
      { name: "c", projected: { sources: [token, { configMap: { name: "kube-root-ca.crt" } }] } },
    ],
  },
  "the account that every pod has": { ...plain, serviceAccountName: "default" },
  "a pull secret, which the kubelet alone reads": { ...plain, imagePullSecrets: [{ name: "regcred" }] },
};

const refused: Record<string, [Pod, RegExp]> = {
  "a Secret's key": [
    container({
      env: [
        { name: "A", value: "1" },
        { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
      ],
    }),
    /may not give a Secret to a container/,
  ],
  "a whole Secret": [secretEnv, /may not give a Secret to a container/],
  "a Secret for an init container": [
    { ...plain, initContainers: [{ name: "i", image: "a", envFrom: [{ secretRef: { name: "s" } }] }] },
    /may not give a Secret to a container/,
  ],
  "a Secret as a volume": [volume({ secret: { secretName: "s" } }), /as a volume/],
  "a projected Secret": [volume({ projected: { sources: [token, { secret: { name: "s" } }] } }), /as a volume/],
  "a driver that is given a Secret": [volume({ csi: { driver: "d" } }), /as a volume/],
  "another account": [{ ...plain, serviceAccountName: "secrets-visit-tracker-redis" }, /another ServiceAccount/],
};

for (const [kind, make] of Object.entries(kinds)) {
  describe(`a developer's ${kind}`, () => {
    for (const [what, pod] of Object.entries(allowed))
      it(`may have ${what}`, () => assert.deepEqual(refusals(templates, { object: make(pod) }), []));

    for (const [what, [pod, reason]] of Object.entries(refused))
      it(`may not have ${what}, new or changed`, () => {
        for (const oldObject of [undefined, make(plain)]) {
          const found = refusals(templates, { object: make(pod), oldObject });
          assert.equal(found.length, 1, found.join("\n"));
          assert.match(found[0] ?? "", reason);
        }
      });

    it("that has a Secret stays as it is: another command or image could show it", () => {
      const changes = [{ command: ["env"] }, { image: "b" }, { lifecycle: {} }, { env: [{ name: "A", value: "1" }] }];
      for (const change of changes) {
        const [app] = secretEnv.containers as object[];
        const object = make({ containers: [{ ...app, ...change }] });
        assert.equal(refusals(templates, { object, oldObject: make(secretEnv) }).length, 1, JSON.stringify(change));
      }
      const beside = make({ ...secretEnv, shareProcessNamespace: true });
      assert.equal(refusals(templates, { object: beside, oldObject: make(secretEnv) }).length, 1);
    });

    it("that has a Secret may be restarted, scaled, labelled, and lose it", () => {
      const old = make(secretEnv) as { spec: object };
      const spec = kind === "Deployment" ? { ...old.spec, replicas: 3 } : old.spec;
      const object = { ...old, metadata: { labels: { a: "b" } }, spec };
      assert.deepEqual(refusals(templates, { object, oldObject: old }), []);
      assert.deepEqual(refusals(templates, { object: make(plain), oldObject: old }), []);
    });

    it("is judged for the groups that are named, and for no one else", () => {
      const object = make(secretEnv);
      assert.equal(refusals(templates, { object, groups: ["system:authenticated", "platform:dev-leads"] }).length, 1);
      assert.deepEqual(refusals(templates, { object, groups: ["system:authenticated", "system:masters"] }), []);
    });
  });
}

describe("a developer's Service", () => {
  const service = (spec: object): object => ({ kind: "Service", spec: { type: "ClusterIP", ...spec } });
  const exposed = service({ type: "LoadBalancer", loadBalancerIP: "192.0.2.1" });

  it("may be one of the cluster's own, and edited where it is exposed already", () => {
    assert.deepEqual(refusals(services, { object: service({}) }), []);
    assert.deepEqual(refusals(services, { object: service({ ports: [] }), oldObject: service({}) }), []);
    const relabelled = service({ type: "LoadBalancer", loadBalancerIP: "192.0.2.1", selector: { a: "b" } });
    assert.deepEqual(refusals(services, { object: relabelled, oldObject: exposed }), []);
    assert.deepEqual(refusals(services, { object: service({}), oldObject: exposed }), []);
  });

  it("may not be exposed, nor take an address that others may use", () => {
    const taken = { externalIPs: ["192.0.2.9"] };
    const cases: [object, object | undefined, RegExp][] = [
      [service({ type: "LoadBalancer" }), undefined, /may not expose/],
      [service({ type: "NodePort" }), service({}), /may not expose/],
      [service({ type: "ExternalName" }), undefined, /may not expose/],
      [service(taken), undefined, /externalIPs/],
      [service({ externalIPs: ["192.0.2.8"] }), service(taken), /externalIPs/],
      [service({ type: "LoadBalancer", loadBalancerIP: "192.0.2.2" }), exposed, /address of a load balancer/],
    ];
    for (const [object, oldObject, reason] of cases) {
      const found = refusals(services, { object, oldObject });
      assert.equal(found.length, 1, JSON.stringify(object));
      assert.match(found[0] ?? "", reason);
    }
  });
});
