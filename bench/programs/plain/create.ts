import { readFileSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

interface Given {
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string };
}

type Kind = new (name: string, args: object, opts?: pulumi.CustomResourceOptions) => pulumi.CustomResource;

const KINDS: Record<string, Kind> = {
  Deployment: k8s.apps.v1.Deployment,
  Service: k8s.core.v1.Service,
  ServiceAccount: k8s.core.v1.ServiceAccount,
  ConfigMap: k8s.core.v1.ConfigMap,
  NetworkPolicy: k8s.networking.v1.NetworkPolicy,
  Role: k8s.rbac.v1.Role,
  RoleBinding: k8s.rbac.v1.RoleBinding,
  PodDisruptionBudget: k8s.policy.v1.PodDisruptionBudget,
} as unknown as Record<string, Kind>;

/** A resource for each object that the benchmark wants of this program. */
export function create(opts: pulumi.CustomResourceOptions = {}): void {
  for (const object of JSON.parse(readFileSync("objects.json", "utf8")) as Given[]) {
    const Resource = KINDS[object.kind];
    if (!Resource)
      throw new Error(`objects.json has a ${object.kind}, which bench/programs/plain/create.ts does not know`);
    new Resource(`${object.kind}-${object.metadata.name}`.toLowerCase(), object, opts);
  }
}
