import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { ENVIRONMENT_LABEL, SHARED, labels } from "../lib/labels";
import { SKIP_AWAIT } from "../lib/security";

export interface GuardArgs {
  /** The environment whose stack installs the cluster's services. */
  readonly environment: string;
  readonly namespace: pulumi.Input<string>;
}

const MARK = "in-use";
const LABELS = labels({ environment: SHARED, component: "operator", name: "guard" });

/**
 * Refuses the removal of the stack while other environments live on the cluster. A destroy takes apart first what depends on
 * the rest: that is an object which depends on everything, and which the API server keeps as long as there are others.
 */
export function createRefusal(
  name: string,
  { environment, namespace }: GuardArgs,
  opts: pulumi.CustomResourceOptions,
): void {
  const policy = new k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
    `${name}-policy`,
    {
      metadata: { labels: LABELS, name: "platform-in-use" },
      spec: {
        failurePolicy: "Fail",
        paramKind: { apiVersion: "v1", kind: "Namespace" },
        matchConstraints: {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
          resourceRules: [
            {
              apiGroups: [""],
              apiVersions: ["v1"],
              operations: ["DELETE"],
              resources: ["configmaps"],
              resourceNames: [MARK],
            },
          ],
        },
        validations: [
          {
            // Asked once for each namespace of another environment.
            expression: "false",
            messageExpression:
              `'stack ${environment} owns what the cluster has once, and ' + params.metadata.name + ' is of an environment that needs it: ` +
              `take that one down first, or hand the services over with npm run handover'`,
          },
        ],
      },
    },
    opts,
  );
  new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
    `${name}-binding`,
    {
      metadata: { labels: LABELS, name: "platform-in-use" },
      spec: {
        policyName: policy.metadata.name,
        validationActions: ["Deny"],
        paramRef: {
          parameterNotFoundAction: "Allow",
          selector: {
            matchExpressions: [
              { key: ENVIRONMENT_LABEL, operator: "Exists" },
              { key: ENVIRONMENT_LABEL, operator: "NotIn", values: [environment, SHARED] },
            ],
          },
        },
      },
    },
    opts,
  );
}

/**
 * Stands by itself in the stack's tree: a child of what it depends on would wait for itself. It says nothing that could ever
 * change, because Pulumi replaces a ConfigMap whose data do.
 */
export function createMark(
  name: string,
  namespace: pulumi.Input<string>,
  everything: pulumi.Resource[],
  opts: pulumi.ResourceOptions,
): void {
  new k8s.core.v1.ConfigMap(
    `${name}-mark`,
    { metadata: { labels: LABELS, name: MARK, namespace, annotations: SKIP_AWAIT } },
    { ...opts, dependsOn: everything },
  );
}
