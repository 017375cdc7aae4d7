import * as pulumi from "@pulumi/pulumi";
import { policyName } from "../../policy/admission/names";
import { type AdmissionPolicy, admissionPolicies } from "../../policy/admission/policies";
import { policySettings } from "../../policy/settings";
import { PlatformComponent } from "../lib/component";
import { createFence } from "../lib/fence";
import { labels } from "../lib/labels";
import { NAMESPACE_LABEL } from "../lib/network";

export interface AdmissionArgs {
  /** Of which they are: policy/config has a file of that name. */
  readonly environment: string;
  /** One namespace each, in which the policies hold. @example ["data", "apps"] */
  readonly concerns: readonly string[];
  /** Beginnings of the references of images that may run. */
  readonly imagesFrom: readonly string[];
}

/**
 * The rules on a single object, held by the API server in the namespaces of one environment: whoever writes there, by
 * whatever tool, is refused like the program would be, with the same words. Costs nothing but the objects, and of each
 * request that writes a pod template some tenths of a millisecond.
 *
 *     new Admission("admission", { environment: "dev", concerns: ["data", "apps"], imagesFrom }, opts);
 */
export class Admission extends PlatformComponent {
  /** What must stand before anything else is written; `name` is known once it does. */
  readonly policies: readonly { readonly name: pulumi.Output<string> }[];

  constructor(name: string, args: AdmissionArgs, opts: pulumi.ComponentResourceOptions) {
    super("Admission", name, opts);
    const { objects } = policySettings(args.environment, "admission");
    const options = { ...objects.options, imagesFrom: [...objects.options.imagesFrom, ...args.imagesFrom] };
    const namespaces = args.concerns.map((concern) => `${args.environment}-${concern}`);
    const policies = admissionPolicies(namespaces, { ...objects, options });
    this.policies = policies.map((policy) => this.createPolicy(policy, args.environment, namespaces));
    this.registerOutputs({ policies: policies.map(({ role }) => role) });
  }

  /** Known by the label that the API server itself gives each namespace, and lets nobody change. */
  private createPolicy(
    { role, ...policy }: AdmissionPolicy,
    environment: string,
    namespaces: string[],
  ): { name: pulumi.Output<string> } {
    const name = policyName(environment, role);
    const metadata = { name, labels: labels({ environment, component: "policy", name }) };
    const within = { matchExpressions: [{ key: NAMESPACE_LABEL, operator: "In", values: namespaces }] };
    const [, binding] = createFence(this.child(role), { metadata, within, ...policy }, this.own);
    return { name: binding.metadata.name };
  }
}
