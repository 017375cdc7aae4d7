import assert from "node:assert/strict";
import fc from "fast-check";
import { ROLES } from "../../policy/admission/names";
import { type AdmissionPolicy, admissionPolicies } from "../../policy/admission/policies";
import type { Exemption } from "../../policy/exemption";
import type { Judgement } from "../../policy/judge";
import { OBJECT_RULES } from "../../policy/rules/index";
import type { Manifest } from "../../policy/rules/manifest";
import { VERSIONS } from "../../policy/rules/options";
import { POD_KINDS } from "../../policy/rules/podTemplate";
import { type Asked, admission, isReached, places, predicted, saidBy } from "./admitted";
import { CASES } from "./cases";
import { carry, container, JUDGEMENT, template } from "./manifests";
import { podTemplate } from "./randomPods";

const HELD: Judgement = { ...JUDGEMENT, gate: "admission" };
const NAMESPACES = ["dev-apps", "dev-data"];

const said = (asked: Asked, judgement = HELD): string[] => places(admission(NAMESPACES, judgement, asked));
const pod = (change: object): Manifest => carry("Pod", template([container({ ...change })])).manifest;
const privileged = pod({ securityContext: { privileged: true } });

describe("the API server's policies", function () {
  this.timeout(120_000);

  it("have an object that breaks each of their rules", () => {
    const broken = CASES.filter(({ isBroken }) => isBroken);
    const ids = OBJECT_RULES.filter(({ gates }) => gates.includes("admission")).map(({ id }) => id);
    assert.ok(ids.length > 30);
    for (const id of ids) {
      const found = broken
        .filter(({ rule }) => rule === id)
        .flatMap(({ manifests, origins }) => {
          const judgement = { ...HELD, options: { ...HELD.options, imagesFrom: origins } };
          return manifests.filter((each) => isReached(each)).flatMap((object) => said({ object }, judgement));
        });
      assert.ok(
        found.some((each) => each.startsWith(`[${id}] `)),
        id,
      );
    }
  });

  it("say of random pods what the rules say, field by field, in every kind that carries them", () => {
    const options = fc.record({
      level: fc.constantFrom<"baseline" | "restricted">("baseline", "restricted"),
      version: fc.integer({ min: VERSIONS.oldest, max: VERSIONS.newest }),
    });
    let found = 0;
    fc.assert(
      fc.property(podTemplate, fc.constantFrom(...POD_KINDS), options, (random, kind, podSecurity) => {
        const imagesFrom = ["docker.io/library/", "registry.example/"];
        const judgement = { ...HELD, options: { ...HELD.options, podSecurity, imagesFrom } };
        const { manifest } = carry(kind, random);
        const object = kind === "Pod" ? manifest : { ...manifest, spec: { replicas: 3, ...(manifest.spec as object) } };
        const expected = predicted(object, judgement);
        found += expected.length;
        assert.deepEqual(said({ object }, judgement), expected);
      }),
      { numRuns: 150 },
    );
    assert.ok(found > 500, `${found} findings`);
  });

  it("name rule, container and field, what is allowed, and whose check it is", () => {
    const [message] = admission(NAMESPACES, HELD, { object: privileged });
    const expected =
      /^\[privileged\] container "api": securityContext\.privileged \(allowed: false, or not set; psa:privileged, /;
    assert.match(message ?? "", expected);
  });

  it("judge what is written, and not what stays as it was", () => {
    const deployment = carry("Deployment", template([container({ securityContext: { privileged: true } })])).manifest;
    const scaled = {
      ...deployment,
      metadata: { labels: { a: "b" } },
      spec: { ...(deployment.spec as object), replicas: 5 },
    };
    assert.notDeepEqual(said({ object: deployment }), []);
    assert.deepEqual(said({ object: scaled, oldObject: deployment }), []);
    assert.notDeepEqual(
      said({ object: deployment, oldObject: carry("Deployment", template([container()])).manifest }),
      [],
    );
    const debugged = {
      ...privileged,
      spec: {
        ...(privileged.spec as object),
        ephemeralContainers: [container({ name: "debug", securityContext: {} })],
      },
    };
    assert.ok(said({ object: debugged, oldObject: privileged }).some((each) => each.includes('container "debug"')));
    const service = { apiVersion: "v1", kind: "Service", metadata: { name: "a" }, spec: { type: "NodePort" } };
    assert.notDeepEqual(said({ object: service }), []);
    assert.deepEqual(said({ object: { ...service, metadata: { name: "a", finalizers: [] } }, oldObject: service }), []);
  });

  it("judge an AppArmor annotation that is new, and not one that stays", () => {
    const annotated = (value: string): Manifest => ({
      ...pod({}),
      metadata: { name: "web", annotations: { "container.apparmor.security.beta.kubernetes.io/api": value } },
    });
    assert.notDeepEqual(said({ object: annotated("unconfined"), oldObject: annotated("runtime/default") }), []);
    assert.deepEqual(said({ object: annotated("unconfined"), oldObject: annotated("unconfined") }), []);
  });

  it("leave alone what Kubernetes' own controllers make of a template that was judged", () => {
    for (const user of ["system:kube-controller-manager", "system:serviceaccount:kube-system:replicaset-controller"])
      assert.deepEqual(said({ object: privileged, user }), []);
    for (const user of ["system:admin", "system:serviceaccount:dev-apps:replicaset-controller"])
      assert.notDeepEqual(said({ object: privileged, user }), []);
  });
});

describe("exemptions in the API server", () => {
  const exemption: Exemption = {
    rule: "privileged",
    target: { kind: "Pod", namespace: "*-apps", name: "web" },
    reason: "a test",
    owner: "tests",
    until: "2030-01-31",
  };
  const under = (change: Partial<Exemption>): Judgement => ({ ...HELD, exemptions: [{ ...exemption, ...change }] });
  const now = new Date("2030-01-31T23:59:59.999Z");
  const isFound = (judgement: Judgement, asked: Partial<Asked> = {}): boolean =>
    said({ object: privileged, now, ...asked }, judgement).some((each) => each.startsWith("[privileged]"));

  it("hold for what they name, and nothing else", () => {
    assert.ok(!isFound(under({})));
    for (const target of [{ name: "we*" }, { container: "api" }, { container: "a*" }])
      assert.ok(!isFound(under({ target })));
    for (const target of [
      { name: "w" },
      { name: "we." },
      { kind: "Deployment" },
      { namespace: "*-data" },
      { container: "ap" },
      { namespace: "prod-*" },
    ])
      assert.ok(isFound(under({ target })), JSON.stringify(target));
    assert.ok(isFound(under({ rule: "host-path" })));
  });

  it("end by the API server's own clock, with their last day", () => {
    assert.ok(!isFound(under({})));
    assert.ok(isFound(under({}), { now: new Date("2030-02-01T00:00:00Z") }));
  });

  it("alone make a policy ask for the time", () => {
    const timed = ({ spec, paramRef }: AdmissionPolicy): boolean[] => ["paramKind" in spec, paramRef !== undefined];
    const all = (judgement: Judgement): boolean[] => admissionPolicies(NAMESPACES, judgement).flatMap(timed);
    assert.ok(all(HELD).every((each) => !each));
    assert.deepEqual(all(under({})), [true, true, false, false]);
    assert.ok(all(under({ target: { kind: "ClusterRole" } })).every((each) => !each));
    assert.ok(all(under({ target: { namespace: "prod-*" } })).every((each) => !each));
  });
});

describe("levels in the API server", () => {
  it("refuse, warn, or leave the rule out", () => {
    const levels = { privileged: "advisory", "host-path": "disabled" } as const;
    const policies = admissionPolicies(NAMESPACES, { ...HELD, levels });
    assert.deepEqual(
      policies.map(({ role, actions }) => [role, ...actions]),
      [
        ["pods", "Deny"],
        ["pods-advisory", "Warn", "Audit"],
        ["objects", "Deny"],
      ],
    );
    assert.ok(policies.every(({ role, spec }) => ROLES.includes(role) && spec.failurePolicy === "Fail"));
    const [refusing, warning] = policies.map((policy) => saidBy(policy, { object: privileged }) ?? []);
    const about = (text: readonly string[] | undefined): boolean =>
      (text ?? []).some((each) => each.startsWith("[privileged]"));
    assert.deepEqual([about(refusing), about(warning)], [false, true]);
    assert.ok(!JSON.stringify(policies).includes("[host-path]"));
  });

  it("are those of the Pod Security level that is set", () => {
    const options = { ...HELD.options, podSecurity: { level: "privileged" as const, version: VERSIONS.newest } };
    assert.ok(!said({ object: privileged }, { ...HELD, options }).some((each) => each.startsWith("[privileged]")));
  });
});
