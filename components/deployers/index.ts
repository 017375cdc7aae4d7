import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Environment } from "../environment";
import { PlatformComponent } from "../lib/component";
import { DEPLOYERS_GROUP, DEPLOYERS_NAMESPACE, deployerGroup, deployerName } from "../lib/deployer";
import { createFence } from "../lib/fence";
import { ENVIRONMENT_LABEL, SHARED, labels } from "../lib/labels";
import { NAMESPACE_ROLE } from "../lib/namespaceEntry";
import { fencesOf } from "./fences";
import { clusterRules, namespaceRules, sharedRules } from "./rights";

type Rules = readonly k8s.types.input.rbac.v1.PolicyRule[];
type Subject = k8s.types.input.rbac.v1.Subject;

export interface DeployersArgs {
  /** The environments that are deployed as an account of their own. @example ["qa", "prod"] */
  readonly stacks: readonly string[];
  /** The namespaces of what the cluster has once, in which every environment opens paths. */
  readonly shared: Shared;
}

/** Namespaces by concern. */
type Shared = Readonly<Record<string, pulumi.Output<string>>>;

const API_GROUP = "rbac.authorization.k8s.io";
const LABELS = labels({ environment: SHARED, component: "operator", name: "deployers" });

const account = (name: string): Subject => ({ kind: "ServiceAccount", name, namespace: DEPLOYERS_NAMESPACE });
const group = (name: string): Subject => ({ apiGroup: API_GROUP, kind: "Group", name });

/**
 * The accounts as which environments are deployed, with what a stack needs that uses what the cluster has once, and no more:
 * in the cluster what bears the stack's name, in its own namespaces what it takes there by a binding of its own. Tokens are
 * made for each run, for administrators and for the group `platform:<stack>-deployers`. Costs nothing but the objects.
 *
 *     new Deployers("cluster-deployers", { stacks: ["qa", "prod"], shared: { operators, nodes } }, opts);
 */
export class Deployers extends PlatformComponent {
  constructor(name: string, args: DeployersArgs, opts: pulumi.ComponentResourceOptions) {
    super("Deployers", name, opts);
    const home = new Environment(
      this.child("home"),
      { environment: SHARED, concerns: ["deployers"], quota: { cpu: "0", memory: "0", pods: 0 } },
      this.own,
    );
    const namespace = home.namespace("deployers");
    const fences = this.createFences(args.stacks);
    this.createNamespaceRole(fences);
    // They look themselves up before they start.
    const look = [{ apiGroups: [""], resources: ["serviceaccounts"], verbs: ["get"] }];
    this.grantIn("all", namespace, "deployers", look, [group(DEPLOYERS_GROUP)]);
    for (const stack of args.stacks) this.createDeployer(stack, namespace, args.shared, fences);
    this.registerOutputs({ namespace });
  }

  private createFences(stacks: readonly string[]): pulumi.Resource[] {
    return Object.entries(fencesOf(stacks)).flatMap(([about, spec]) => {
      const metadata = { name: `platform-deployers-${about}`, labels: LABELS };
      const environments = { matchExpressions: [{ key: ENVIRONMENT_LABEL, operator: "In", values: [...stacks] }] };
      const within = about === "services" ? environments : undefined;
      return createFence(this.child(`fence-${about}`), { metadata, spec, within }, this.own);
    });
  }

  /** Bound by nobody here: a deployer binds it where it has made a namespace. */
  private createNamespaceRole(fences: readonly pulumi.Resource[]): void {
    new k8s.rbac.v1.ClusterRole(
      this.child("namespace-role"),
      { metadata: { name: NAMESPACE_ROLE, labels: LABELS }, rules: [...namespaceRules] },
      { ...this.own, dependsOn: [...fences] },
    );
  }

  private createDeployer(
    stack: string,
    namespace: pulumi.Output<string>,
    shared: Shared,
    fences: readonly pulumi.Resource[],
  ): void {
    const name = deployerName(stack);
    new k8s.core.v1.ServiceAccount(
      this.child(`${stack}-account`),
      { metadata: { name, namespace, labels: LABELS }, automountServiceAccountToken: false },
      this.own,
    );
    this.grantInCluster(stack, fences);
    for (const [concern, place] of Object.entries(shared)) {
      const rules = place.apply((text) => sharedRules(stack, text));
      this.grantIn(`${stack}-${concern}`, place, name, rules, [account(name)]);
    }
    const login = [
      { apiGroups: [""], resources: ["serviceaccounts"], resourceNames: [name], verbs: ["get"] },
      { apiGroups: [""], resources: ["serviceaccounts/token"], resourceNames: [name], verbs: ["create"] },
    ];
    this.grantIn(`${stack}-login`, namespace, `${name}-login`, login, [group(deployerGroup(stack))]);
  }

  /** Given after the fences stand, and taken before they fall. */
  private grantInCluster(stack: string, fences: readonly pulumi.Resource[]): void {
    const metadata = { name: `${NAMESPACE_ROLE}-${stack}`, labels: LABELS };
    const role = new k8s.rbac.v1.ClusterRole(
      this.child(`${stack}-role`),
      { metadata, rules: clusterRules(stack) },
      this.own,
    );
    new k8s.rbac.v1.ClusterRoleBinding(
      this.child(`${stack}-binding`),
      {
        metadata,
        roleRef: { apiGroup: API_GROUP, kind: "ClusterRole", name: role.metadata.name },
        subjects: [account(deployerName(stack))],
      },
      { ...this.own, dependsOn: [...fences] },
    );
  }

  private grantIn(
    role: string,
    namespace: pulumi.Input<string>,
    name: string,
    rules: pulumi.Input<pulumi.Input<Rules[number]>[]>,
    subjects: Subject[],
  ): void {
    const metadata = { name, namespace, labels: LABELS };
    const created = new k8s.rbac.v1.Role(this.child(`${role}-role`), { metadata, rules }, this.own);
    new k8s.rbac.v1.RoleBinding(
      this.child(`${role}-binding`),
      { metadata, roleRef: { apiGroup: API_GROUP, kind: "Role", name: created.metadata.name }, subjects },
      this.own,
    );
  }
}
