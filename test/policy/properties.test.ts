import assert from "node:assert/strict";
import fc from "fast-check";
import { judgeObject, judgeSet } from "../../policy/judge";
import { formatFinding } from "../../policy/rules/finding";
import { type Manifest, UNKNOWN } from "../../policy/rules/manifest";
import { POD_KINDS } from "../../policy/rules/podTemplate";
import { amounts, carry, JUDGEMENT } from "./manifests";

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const flag = maybe(fc.constantFrom<unknown>(true, false, null, "true", UNKNOWN));
const securityContext = maybe(
  fc.record({ runAsNonRoot: flag, runAsUser: maybe(fc.constantFrom<unknown>(0, 1000, "0")) }),
);
const quantity = fc.constantFrom("0", "100m", "1", "64Mi", "1Gi", "much");
const resourceList = maybe(fc.tuple(quantity, quantity).map(([cpu, memory]) => amounts(cpu, memory)));
const container = fc.record({
  name: fc.constantFrom("a", "b"),
  securityContext,
  resources: maybe(fc.record({ requests: resourceList, limits: resourceList })),
});
const template = fc.record({
  metadata: fc.record({ labels: fc.constantFrom({ app: "web" }, {}) }),
  spec: fc.record({
    securityContext,
    containers: fc.array(container, { minLength: 1, maxLength: 3 }),
    initContainers: maybe(fc.array(container, { maxLength: 2 })),
    ephemeralContainers: maybe(fc.array(container, { maxLength: 2 })),
  }),
});
/** Each takes something from a container, or from a pod, and gives nothing. */
const TIGHTER: readonly Record<string, unknown>[] = [
  {},
  { runAsNonRoot: true },
  { runAsUser: 1000 },
  { privileged: false },
  { allowPrivilegeEscalation: false },
  { readOnlyRootFilesystem: true },
  { capabilities: { drop: ["ALL"] } },
  { seccompProfile: { type: "RuntimeDefault" } },
  { appArmorProfile: { type: "RuntimeDefault" } },
  { procMount: "Default" },
];
const TIGHTER_PODS: readonly Record<string, unknown>[] = [
  {},
  { hostNetwork: false, hostPID: false, hostIPC: false },
  { automountServiceAccountToken: false },
  { hostUsers: false },
  { enableServiceLinks: false },
];
const networkPolicySpec = fc.record({
  podSelector: fc.constantFrom<unknown>({}, { matchLabels: { app: "web" } }, { matchLabels: { app: "no" } }),
  policyTypes: maybe(fc.subarray(["Ingress", "Egress"])),
});

/** Rules that ask of a kind, and not of the pods it makes. */
const OF_THE_KIND = ["probes", "stateful-service"];

/** Every finding, with the part of its path that depends on the kind taken off. */
function findings(kind: string, pod: Record<string, unknown>, policies: readonly Manifest[]): string[] {
  const { manifest, path } = carry(kind, pod);
  const subjects = [manifest, ...policies].map((each) => ({ manifest: each, pulumiName: "x" }));
  const all = [judgeObject({ manifest, pulumiName: "x" }, JUDGEMENT), ...judgeSet(subjects, JUDGEMENT).slice(0, 1)];
  const found = all.flatMap((verdict) => verdict.findings).filter(({ rule }) => !OF_THE_KIND.includes(rule));
  return found.map((each) => {
    const inTemplate = each.path.startsWith(path);
    assert.ok(inTemplate || each.path.startsWith("metadata."), `${each.path} starts with ${path}`);
    return [each.rule, inTemplate ? each.path.slice(path.length) : each.path, each.container, each.level].join(" ");
  });
}

describe("rules, whatever they are given", () => {
  it("say the same of a pod template in every kind that carries it", () => {
    fc.assert(
      fc.property(template, fc.array(networkPolicySpec, { maxLength: 3 }), (pod, specs) => {
        const policies = specs.map((spec) => ({
          apiVersion: "networking.k8s.io/v1",
          kind: "NetworkPolicy",
          metadata: { namespace: "dev-apps" },
          spec,
        }));
        const expected = findings("Pod", pod, policies);
        for (const kind of POD_KINDS) assert.deepEqual(findings(kind, pod, policies), expected, kind);
      }),
    );
  });

  it("say the same of an object by itself and in a List", () => {
    fc.assert(
      fc.property(template, (pod) => {
        const { manifest } = carry("Deployment", pod);
        const alone = judgeObject({ manifest, pulumiName: "x" }, JUDGEMENT).findings;
        const list = { apiVersion: "v1", kind: "List", items: [manifest] };
        const within = judgeObject({ manifest: list, pulumiName: "x" }, JUDGEMENT).findings;
        const unwrapped = within.map((each) => ({ ...each, path: each.path.replace(/^items\[0\]\./, "") }));
        assert.deepEqual(unwrapped, alone);
      }),
    );
  });

  it("never find more where a field only tightens", () => {
    const paths = (pod: Record<string, unknown>): string[] => {
      const { findings } = judgeObject({ manifest: carry("Deployment", pod).manifest, pulumiName: "x" }, JUDGEMENT);
      return findings.map((each) => `${each.rule} ${each.path}`);
    };
    fc.assert(
      fc.property(template, fc.constantFrom(...TIGHTER), fc.constantFrom(...TIGHTER_PODS), (pod, container, ofPod) => {
        const before = paths(pod);
        const [first, ...others] = pod.spec.containers;
        const own = { ...first, securityContext: { ...first?.securityContext, ...container } };
        const tighter = { ...pod, spec: { ...pod.spec, ...ofPod, containers: [own, ...others] } };
        assert.deepEqual(
          paths(tighter).filter((each) => !before.includes(each)),
          [],
        );
      }),
      { numRuns: 500 },
    );
  });

  const anything = fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true }),
    fc.constant<unknown>(UNKNOWN),
  );
  const hostile = fc.record({
    apiVersion: fc.oneof(fc.constantFrom<unknown>("v1", "apps/v1", "batch/v1", "networking.k8s.io/v1"), anything),
    kind: fc.oneof(fc.constantFrom<unknown>(...POD_KINDS, "NetworkPolicy", "List"), anything),
    metadata: anything,
    items: anything,
    spec: fc.oneof(
      anything,
      fc.record({
        containers: fc.oneof(anything, fc.array(anything)),
        podSelector: fc.oneof(
          anything,
          fc.record({ matchLabels: anything, matchExpressions: fc.oneof(anything, fc.array(anything)) }),
        ),
        policyTypes: anything,
        egress: anything,
        template: fc.oneof(
          anything,
          fc.record({
            metadata: fc.record({ labels: anything }),
            spec: fc.record({
              securityContext: anything,
              containers: fc.array(fc.oneof(anything, fc.record({ name: anything, resources: anything }))),
            }),
          }),
        ),
      }),
    ),
  });

  it("never throw, and always have a message", () => {
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 4 }), (manifests) => {
        const subjects = manifests.map((manifest) => ({ manifest, pulumiName: "x" }));
        const verdicts = [
          ...subjects.map((subject) => judgeObject(subject, JUDGEMENT)),
          ...judgeSet(subjects, JUDGEMENT),
        ];
        for (const finding of verdicts.flatMap((verdict) => verdict.findings)) {
          assert.match(formatFinding(finding), /^\[[a-z-]+\] /);
        }
      }),
      { numRuns: 500 },
    );
  });
});
