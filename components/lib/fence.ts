import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

export type FenceSpec = k8s.types.input.admissionregistration.v1.ValidatingAdmissionPolicySpec;
type Rule = k8s.types.input.admissionregistration.v1.NamedRuleWithOperations;
type Validation = k8s.types.input.admissionregistration.v1.Validation;
type Policy = k8s.admissionregistration.v1.ValidatingAdmissionPolicy;
type Binding = k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding;

export interface FenceArgs {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: FenceSpec;
  /** The namespaces it holds in. @default all */
  readonly within?: k8s.types.input.meta.v1.LabelSelector;
  /** What becomes of what it finds. @default ["Deny"] */
  readonly actions?: readonly string[];
  /** The object of the policy's paramKind. @default none */
  readonly paramRef?: k8s.types.input.admissionregistration.v1.ParamRef;
}

/** What is written, whether new or changed. */
export const written = (apiGroup: string, ...resources: string[]): Rule => ({
  apiGroups: [apiGroup],
  apiVersions: ["*"],
  operations: ["CREATE", "UPDATE"],
  resources,
});

export const required = (expression: string, message: string): Validation => ({
  expression,
  message,
  reason: "Forbidden",
});

/** Nothing goes where it cannot be judged. */
export const fence = (rules: Rule[], more: Partial<FenceSpec>): FenceSpec => ({
  failurePolicy: "Fail",
  matchConstraints: { resourceRules: rules },
  ...more,
});

/** An admission policy and its binding, for those who wait until they stand. */
export function createFence(
  resourceName: string,
  { metadata, spec, within, actions = ["Deny"], paramRef }: FenceArgs,
  opts: pulumi.CustomResourceOptions,
): readonly [Policy, Binding] {
  const policy = new k8s.admissionregistration.v1.ValidatingAdmissionPolicy(resourceName, { metadata, spec }, opts);
  const binding = new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
    `${resourceName}-binding`,
    {
      metadata,
      spec: {
        policyName: policy.metadata.name,
        validationActions: [...actions],
        ...(paramRef ? { paramRef } : {}),
        ...(within ? { matchResources: { namespaceSelector: within } } : {}),
      },
    },
    opts,
  );
  return [policy, binding];
}
