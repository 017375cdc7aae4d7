import type { Judgement } from "../../policy/judge";
import type { Manifest } from "../../policy/rules/manifest";
import { ObjectSet } from "../../policy/rules/objectSet";
import { DEFAULT_OPTIONS, type Options } from "../../policy/rules/options";
import { POD_KINDS } from "../../policy/rules/podTemplate";
import type { SetRule } from "../../policy/rules/rule";

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

export const secure = (change: Fields = {}): Fields => ({
  runAsNonRoot: true,
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
  ...change,
});

/** Breaks `non-root` alone. */
export const rooted = (change: Fields = {}): Fields =>
  container({ securityContext: secure({ runAsNonRoot: undefined }), ...change });

/** Breaks no rule; give only what the test is about. */
export function container(change: Fields = {}): Fields {
  return {
    name: "api",
    image: `registry.example/api@sha256:${"0".repeat(64)}`,
    securityContext: secure(),
    resources: { requests: amounts("100m", "64Mi"), limits: amounts("500m", "128Mi") },
    readinessProbe: { httpGet: { path: "/readyz", port: 8080 } },
    livenessProbe: { httpGet: { path: "/livez", port: 8080 } },
    ...change,
  };
}

export function template(containers: Fields[], spec: Fields = {}): Fields {
  return { metadata: { labels: { app: "web" } }, spec: { automountServiceAccountToken: false, containers, ...spec } };
}

export function policy(spec: unknown, namespace: unknown = "dev-apps"): Manifest {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "p", namespace }, spec };
}

/** Asks every rule of the gate that has them all. */
export const JUDGEMENT: Judgement = {
  levels: {},
  unknowns: "report",
  exemptions: [],
  now: new Date("2030-01-01"),
  options: DEFAULT_OPTIONS,
  gate: "check",
};

/** The same, of one rule alone. */
export function only(rule: string, ids: readonly string[], change: Partial<Judgement> = {}): Judgement {
  const levels = Object.fromEntries(ids.filter((id) => id !== rule).map((id) => [id, "disabled" as const]));
  return { ...JUDGEMENT, levels, ...change };
}

/** The faults that a rule over sets finds, for each object a list. */
export function faultsIn(
  checkAll: SetRule["checkAll"],
  manifests: readonly Manifest[],
  options: Options = DEFAULT_OPTIONS,
): ReturnType<SetRule["checkAll"]>[] {
  const faults = checkAll(new ObjectSet(manifests), options);
  return manifests.map((_, of) => faults.filter((fault) => fault.of === of));
}
