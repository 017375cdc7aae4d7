import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Profile } from "./lib/config";
import { labels } from "./lib/labels";
import { SKIP_AWAIT } from "./lib/security";

export interface DataGuardArgs {
  readonly environment: string;
  readonly namespace: pulumi.Input<string>;
  readonly data: Profile["data"];
}

/**
 * Volumes go with their namespaces, and namespaces with their stack: a stack whose data are kept is not removed. A destroy takes
 * apart first what depends on the rest; that is this object, and Pulumi does not delete what is protected. It is there either
 * way, because Pulumi would not delete it once the stack file says that the data may go.
 */
export function guardData(
  { environment, namespace, data }: DataGuardArgs,
  everything: pulumi.Resource[],
  opts: pulumi.CustomResourceOptions,
): void {
  const metadata = {
    labels: labels({ environment, component: "data", name: "guard" }),
    name: "data-guard",
    namespace,
    annotations: SKIP_AWAIT,
  };
  new k8s.core.v1.ConfigMap(
    `${environment}-data-guard`,
    { metadata },
    { ...opts, dependsOn: everything, protect: data === "keep" },
  );
}
