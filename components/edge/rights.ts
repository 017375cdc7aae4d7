import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels } from "../lib/labels";

type Rule = k8s.types.input.rbac.v1.PolicyRule;

const GATEWAY = "gateway.networking.k8s.io";
const READ = ["list", "watch"];
const ROUTES = ["httproutes", "grpcroutes"];

/**
 * What Traefik watches in each namespace, used or not: it serves nothing until it has listed all of it, Secrets and
 * ConfigMaps among them.
 */
const WATCHED: Rule[] = [
  { apiGroups: [""], resources: ["services", "secrets", "configmaps"], verbs: READ },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: READ },
  { apiGroups: [GATEWAY], resources: ["gateways", ...ROUTES, "referencegrants", "backendtlspolicies"], verbs: READ },
  { apiGroups: [GATEWAY], resources: ROUTES.map((each) => `${each}/status`), verbs: ["update"] },
];
const OWN: Rule[] = [{ apiGroups: [GATEWAY], resources: ["gateways/status"], verbs: ["update"] }];
/** What it may do in its own namespace. */
export const EDGE_RULES: Rule[] = [...WATCHED, ...OWN];

/** Nothing else of the cluster than names, and the status of the one class that is its own. */
const clusterWide = (gatewayClass: string): Rule[] => [
  { apiGroups: [""], resources: ["namespaces"], verbs: READ },
  { apiGroups: [GATEWAY], resources: ["gatewayclasses"], verbs: READ },
  { apiGroups: [GATEWAY], resources: ["gatewayclasses/status"], resourceNames: [gatewayClass], verbs: ["update"] },
];

export interface RightsArgs {
  readonly namespace: pulumi.Output<string>;
  /** The other namespace whose routes it serves. */
  readonly routesFrom: pulumi.Output<string>;
  /** The platform's own, likewise, by what they are for. */
  readonly pages: Readonly<Record<string, pulumi.Output<string>>>;
  readonly gatewayClass: string;
}

/** Resolves to the account's name once it may do its work. */
export function createRights(
  child: (role: string) => string,
  { namespace, routesFrom, pages, gatewayClass }: RightsArgs,
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const { name } = identity;
  const common = { labels: labels(identity) };
  const subjects = [{ kind: "ServiceAccount", name, namespace }];
  const apiGroup = "rbac.authorization.k8s.io";
  const account = new k8s.core.v1.ServiceAccount(
    child("account"),
    { metadata: { ...common, name, namespace }, automountServiceAccountToken: false },
    opts,
  );
  const within = (role: string, place: pulumi.Output<string>, rules: Rule[]): k8s.rbac.v1.RoleBinding => {
    const metadata = { ...common, name, namespace: place };
    const created = new k8s.rbac.v1.Role(child(`${role}-role`), { metadata, rules }, opts);
    const roleRef = { apiGroup, kind: "Role", name: created.metadata.name };
    return new k8s.rbac.v1.RoleBinding(child(`${role}-binding`), { metadata, roleRef, subjects }, opts);
  };
  const metadata = { ...common, name: gatewayClass };
  const role = new k8s.rbac.v1.ClusterRole(child("cluster-role"), { metadata, rules: clusterWide(gatewayClass) }, opts);
  const everywhere = new k8s.rbac.v1.ClusterRoleBinding(
    child("cluster-binding"),
    { metadata, roleRef: { apiGroup, kind: "ClusterRole", name: role.metadata.name }, subjects },
    opts,
  );
  const bindings = [
    within("own", namespace, EDGE_RULES),
    within("routes", routesFrom, WATCHED),
    ...Object.entries(pages).map(([role, place]) => within(role, place, WATCHED)),
    everywhere,
  ];
  const bound = pulumi.all(bindings.map(({ metadata: { name: bindingName } }) => bindingName));
  return pulumi.all([account.metadata.name, bound]).apply(([accountName]) => accountName);
}
