import type { Manifest } from "../../policy/rules/manifest";
import { POD_KINDS } from "../../policy/rules/podTemplate";

type Fields = Record<string, unknown>;

const API_VERSIONS: Readonly<Record<string, string>> = { Job: "batch/v1", CronJob: "batch/v1" };
const CORE = ["Pod", "PodTemplate", "ReplicationController"];

/** The same pod template in an object of this kind, and the path that leads to it. */
export function carry(kind: string, template: Fields, metadata: Fields = {}): { manifest: Manifest; path: string } {
  const head = {
    apiVersion: CORE.includes(kind) ? "v1" : (API_VERSIONS[kind] ?? "apps/v1"),
    kind,
    metadata: { name: "web", namespace: "dev-apps", ...metadata },
  };
  const templateMetadata = template.metadata as Fields | undefined;
  if (kind === "Pod") {
    return {
      manifest: { ...head, metadata: { ...head.metadata, ...templateMetadata }, spec: template.spec },
      path: "",
    };
  }
  if (kind === "PodTemplate") return { manifest: { ...head, template }, path: "template." };
  if (kind === "CronJob") {
    return {
      manifest: { ...head, spec: { jobTemplate: { spec: { template } } } },
      path: "spec.jobTemplate.spec.template.",
    };
  }
  return { manifest: { ...head, spec: { template } }, path: "spec.template." };
}

export function everyKind(
  template: Fields,
  metadata: Fields = {},
): { kind: string; manifest: Manifest; path: string }[] {
  return POD_KINDS.map((kind) => ({ kind, ...carry(kind, template, metadata) }));
}

export const amounts = (cpu: string, memory: string): Fields => ({ cpu, memory });

/** Breaks no rule; give only what the test is about. */
export function container(change: Fields = {}): Fields {
  return {
    name: "api",
    image: "registry.example/api@sha256:0",
    securityContext: { runAsNonRoot: true },
    resources: { requests: amounts("100m", "64Mi"), limits: amounts("500m", "128Mi") },
    ...change,
  };
}

export function template(containers: Fields[], spec: Fields = {}): Fields {
  return { metadata: { labels: { app: "web" } }, spec: { containers, ...spec } };
}

export function policy(spec: unknown, namespace: unknown = "dev-apps"): Manifest {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "p", namespace }, spec };
}
