import { CONCERNS } from "../lib/concerns";
import { DEPLOYERS_NAMESPACE, deployerName } from "../lib/deployer";
import { type FenceSpec, fence, required, written } from "../lib/fence";
import { ENVIRONMENT_LABEL } from "../lib/labels";
import { NAMESPACE_ROLE } from "../lib/namespaceEntry";
import { REVIEWER, edgeName, namespacesOf, reviewerName } from "./rights";

/**
 * What roles cannot say of the deployers: what may be in the objects that they may write by name. It is asked of the objects,
 * whoever writes them: a deployer makes accounts in its namespaces, and what it cannot do by itself it could have one of
 * these do. Expressions in CEL, which the API server evaluates.
 */
const RBAC = "rbac.authorization.k8s.io";
const PROFILE = "pod-security.kubernetes.io/enforce";

const listOf = (texts: readonly string[]): string => JSON.stringify(texts);

/** An object that is made under a generated name has none of ours. */
const isNamed = (names: readonly string[]): FenceSpec["matchConditions"] => [
  { name: "names", expression: `has(object.metadata.name) && object.metadata.name in ${listOf(names)}` },
];

const namespaceFence = (stacks: readonly string[]): FenceSpec =>
  fence([written("", "namespaces")], {
    matchConditions: isNamed(stacks.flatMap(namespacesOf)),
    variables: [{ name: "labels", expression: "has(object.metadata.labels) ? object.metadata.labels : {}" }],
    validations: [
      required(
        `"${PROFILE}" in variables.labels && variables.labels["${PROFILE}"] == "restricted" && ` +
          `!("${PROFILE}-version" in variables.labels)`,
        `a namespace of an environment that has a deployer enforces the Pod Security profile restricted, of the cluster's own version (${PROFILE}).`,
      ),
      required(
        `"${ENVIRONMENT_LABEL}" in variables.labels && ${listOf(CONCERNS)}.exists(concern, ` +
          `object.metadata.name == variables.labels["${ENVIRONMENT_LABEL}"] + "-" + concern)`,
        `a namespace of an environment that has a deployer names this environment in its label ${ENVIRONMENT_LABEL}.`,
      ),
    ],
  });

/** A binding to the cluster has no namespace, and so never fits. */
const claimFence = (): FenceSpec =>
  fence([written(RBAC, "rolebindings", "clusterrolebindings")], {
    matchConditions: [
      {
        name: "role",
        expression: `object.roleRef.kind == "ClusterRole" && object.roleRef.name == "${NAMESPACE_ROLE}"`,
      },
    ],
    validations: [
      required(
        `has(object.metadata.namespace) && has(object.subjects) && object.subjects.all(subject, ` +
          `subject.kind == "ServiceAccount" && subject.namespace == "${DEPLOYERS_NAMESPACE}" && ` +
          `${listOf(CONCERNS)}.exists(concern, subject.name + "-" + concern == "${deployerName("")}" + object.metadata.namespace))`,
        `the ClusterRole ${NAMESPACE_ROLE} is bound in the namespaces of an environment to the deployer of that environment, and nowhere else.`,
      ),
    ],
  });

const accountsIn = (namespace: string): string =>
  `has(object.subjects) && object.subjects.all(subject, subject.kind == "ServiceAccount" && subject.namespace == "${namespace}")`;

const bindingFence = (stacks: readonly string[]): FenceSpec =>
  fence([written(RBAC, "clusterrolebindings")], {
    matchConditions: isNamed(stacks.flatMap((stack) => [edgeName(stack), reviewerName(stack)])),
    validations: stacks.flatMap((stack) => [
      required(
        `object.metadata.name != "${edgeName(stack)}" || object.roleRef.name == "${edgeName(stack)}" && ${accountsIn(`${stack}-edge`)}`,
        `${edgeName(stack)} binds the ClusterRole of that name to accounts in ${stack}-edge.`,
      ),
      required(
        `object.metadata.name != "${reviewerName(stack)}" || object.roleRef.name == "${REVIEWER}" && ${accountsIn(`${stack}-secrets`)}`,
        `${reviewerName(stack)} binds ${REVIEWER} to accounts in ${stack}-secrets.`,
      ),
    ]),
  });

const roleFence = (stacks: readonly string[]): FenceSpec =>
  fence([written(RBAC, "clusterroles")], {
    matchConditions: isNamed(stacks.map(edgeName)),
    validations: [
      required(
        "!has(object.aggregationRule) && (!has(object.rules) || object.rules.all(rule, has(rule.resources) && (" +
          'rule.resources.all(each, each in ["namespaces", "gatewayclasses"]) && rule.verbs.all(verb, verb in ["list", "watch"]) || ' +
          'rule.resources.all(each, each == "gatewayclasses/status") && rule.verbs.all(verb, verb == "update"))))',
        "the edge of an environment may list namespaces and the classes of gateways, and update the status of its own class; nothing else in the cluster.",
      ),
    ],
  });

const serviceFence = (): FenceSpec =>
  fence([written("", "services")], {
    validations: [
      required(
        "!has(object.spec.externalIPs)",
        "a Service of an environment that has a deployer has no addresses of its own (externalIPs): others might be using them.",
      ),
    ],
  });

/** By what they are about. */
export const fencesOf = (stacks: readonly string[]): Readonly<Record<string, FenceSpec>> => ({
  namespaces: namespaceFence(stacks),
  claims: claimFence(),
  bindings: bindingFence(stacks),
  roles: roleFence(stacks),
  services: serviceFence(),
});
