import assert from "node:assert/strict";
import { unknownCheckingProxy } from "@pulumi/policy";
import { validateObject, validateStack } from "../../policy/dispatch";
import { carry, container, policy, rooted, template } from "./manifests";

interface Reported {
  name: string;
  message: string;
  enforcementLevel?: string;
  urn: string;
}

// What the engine writes where a preview does not know a text, a list, an object.
const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const UNKNOWN_LIST = "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2";
const UNKNOWN_OBJECT = "dd056dcd-154b-4c76-9bd3-c8f88648b5ff";

// Exported, but left out of the SDK's types.
const asEngineSends = unknownCheckingProxy as (properties: object) => Record<string, unknown>;

const resource = (type: string, manifest: object) => ({
  type,
  name: "web",
  urn: `urn:${type}`,
  props: asEngineSends({ ...manifest }),
});
const getConfig = (config: object) => (): never => config as never;

function object(type: string, manifest: object, config: object = {}): Reported[] {
  const reported: unknown[] = [];
  validateObject({ ...resource(type, manifest), getConfig: getConfig(config) }, (violation) =>
    reported.push(violation),
  );
  return reported as Reported[];
}

function stack(resources: ReturnType<typeof resource>[], config: object = {}): Reported[] {
  const reported: unknown[] = [];
  validateStack({ resources, getConfig: getConfig(config) }, (violation) => reported.push(violation));
  return reported as Reported[];
}

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const faulty = rooted({ env: [{ name: "MODE", value: UNKNOWN_TEXT }] });
const { manifest } = carry("Deployment", template([faulty]), { name: UNKNOWN_TEXT });

describe("the policy pack", () => {
  it("reports each finding under its rule, on its resource, at the level the engine knows", () => {
    const [violation, ...more] = object(DEPLOYMENT, manifest);
    assert.equal(violation?.name, "non-root");
    assert.equal(violation?.urn, `urn:${DEPLOYMENT}`);
    assert.equal(violation?.enforcementLevel, undefined);
    assert.match(violation?.message ?? "", /^\[non-root\] Deployment dev-apps\/web, container "api"/);
    assert.deepEqual(more, []);
  });

  it("passes sound resources, and those of other providers unread", () => {
    assert.deepEqual(object(DEPLOYMENT, carry("Deployment", template([container()])).manifest), []);
    assert.deepEqual(object("random:index/randomPassword:RandomPassword", manifest), []);
    assert.deepEqual(object("kubernetes:core/v1:ConfigMap", { data: { containers: UNKNOWN_TEXT } }), []);
  });

  it("takes kind and group from the type where the properties leave them out", () => {
    const bare = { metadata: manifest.metadata, spec: carry("Pod", template([faulty])).manifest.spec };
    assert.equal(object("kubernetes:core/v1:Pod", bare).length, 1);
  });

  it("loses one leaf to an unknown value, not the rule", () => {
    const pod = carry("Pod", template([UNKNOWN_OBJECT as never, faulty], { initContainers: UNKNOWN_LIST })).manifest;
    assert.deepEqual(
      object("kubernetes:core/v1:Pod", pod).map(({ name, enforcementLevel, message }) => [
        name,
        enforcementLevel,
        /spec\.[^ ]+/.exec(message)?.[0],
      ]),
      [
        ["privileged", "advisory", "spec.containers[0]"],
        ["privileged", "advisory", "spec.initContainers"],
        ["non-root", undefined, "spec.containers[1].securityContext.runAsNonRoot"],
      ],
    );
  });

  it("treats the unknown as a violation where the settings say so", () => {
    const pod = carry("Pod", template([container()], { initContainers: UNKNOWN_LIST })).manifest;
    const levels = object("kubernetes:core/v1:Pod", pod, { unknowns: "fail" }).map((each) => each.enforcementLevel);
    assert.deepEqual(levels, [undefined]);
  });

  it("follows the levels of the settings, and refuses those it does not know", () => {
    assert.equal(object(DEPLOYMENT, manifest, { levels: { "non-root": "advisory" } })[0]?.enforcementLevel, "advisory");
    assert.deepEqual(object(DEPLOYMENT, manifest, { levels: { "non-root": "disabled" } }), []);
    assert.throws(
      () => object(DEPLOYMENT, manifest, { levels: { "no-root": "advisory" } }),
      /objects\.levels: found "no-root"/,
    );
  });

  it("judges the stack's objects together", () => {
    const workload = resource(DEPLOYMENT, manifest);
    const selecting = policy({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
    assert.deepEqual(
      stack([workload, resource(type, selecting)]).map(({ name, enforcementLevel }) => [name, enforcementLevel]),
      [["exemption", "advisory"]],
    );
    const open = stack([workload, resource(type, { ...selecting, metadata: { namespace: "dev-data" } })]);
    assert.deepEqual(
      open.filter(({ name }) => name === "network-policy").map(({ name, urn }) => [name, urn]),
      [
        ["network-policy", workload.urn],
        ["network-policy", workload.urn],
      ],
    );
  });

  it("tells of the exemptions that nothing needed", () => {
    const [told, ...more] = stack([]);
    assert.match(told?.message ?? "", /^not used: the exemption of kind DaemonSet.* from host-path/m);
    assert.deepEqual([told?.name, told?.enforcementLevel, told?.urn, more], ["exemption", "advisory", undefined, []]);
  });

  it("does not judge a patch as if it were the whole object among others", () => {
    assert.deepEqual(
      stack([resource("kubernetes:apps/v1:DeploymentPatch", { ...manifest, spec: { replicas: 2 } })]).filter(
        ({ name }) => name !== "exemption",
      ),
      [],
    );
    assert.equal(object("kubernetes:apps/v1:DeploymentPatch", manifest).length, 1);
  });
});
