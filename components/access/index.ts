import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PlatformComponent } from "../lib/component";
import { type FenceSpec, createFence } from "../lib/fence";
import { ENVIRONMENT_LABEL } from "../lib/labels";
import { NAMESPACE_LABEL } from "../lib/network";
import { serviceFence, templateFence } from "./fence";
import { developerRules } from "./rules";

export interface AccessArgs {
  readonly environment: string;
  /** The applications' namespace. */
  readonly namespace: pulumi.Input<string>;
  /** Groups as the cluster's login names them. @example ["platform:dev-developers"] */
  readonly developers: readonly string[];
  /**
   * Whether developers get into running pods. What a pod is given can be read there, its Secrets among them.
   * @default false
   */
  readonly exec: boolean;
}

const NAME = "developers";

/**
 * What developers may do: edit the applications' namespace of one environment, read no Secret, see nothing else. A role gives
 * the rights; admission policies keep those who may write a pod template from having a pod show them a Secret.
 *
 *     new Access("access", { environment: "dev", namespace, developers: ["platform:dev-developers"], exec: false }, opts);
 */
export class Access extends PlatformComponent {
  constructor(name: string, args: AccessArgs, opts: pulumi.ComponentResourceOptions) {
    super("Access", name, opts);
    const fences = [
      ...this.createFence("templates", args, templateFence(args.developers)),
      ...this.createFence("services", args, serviceFence(args.developers)),
    ];
    this.createRights(args, fences);
    this.registerOutputs({ developers: args.developers });
  }

  private createFence(
    role: string,
    { environment, namespace }: AccessArgs,
    spec: FenceSpec,
  ): readonly pulumi.Resource[] {
    const metadata = { name: `${environment}-${NAME}-${role}`, labels: labelsOf(environment) };
    const within = { matchLabels: { [NAMESPACE_LABEL]: namespace } };
    return createFence(this.child(role), { metadata, spec, within }, this.own);
  }

  /** Given after the fences stand, and taken before they fall. */
  private createRights(args: AccessArgs, fences: readonly pulumi.Resource[]): void {
    const metadata = { name: NAME, namespace: args.namespace, labels: labelsOf(args.environment) };
    const role = new k8s.rbac.v1.Role(this.child("role"), { metadata, rules: developerRules(args.exec) }, this.own);
    const group = { apiGroup: "rbac.authorization.k8s.io", kind: "Group" };
    new k8s.rbac.v1.RoleBinding(
      this.child("binding"),
      {
        metadata,
        roleRef: { apiGroup: group.apiGroup, kind: "Role", name: role.metadata.name },
        subjects: args.developers.map((name) => ({ ...group, name })),
      },
      { ...this.own, dependsOn: [...fences] },
    );
  }
}

const labelsOf = (environment: string): Record<string, string> => ({
  "app.kubernetes.io/part-of": "platform",
  "app.kubernetes.io/managed-by": "pulumi",
  [ENVIRONMENT_LABEL]: environment,
});
