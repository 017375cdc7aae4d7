import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Manifest } from "../../policy/rules/manifest";
import { carry, container, template } from "./manifests";

type Fields = Record<string, unknown>;

/** A set of objects that breaks a rule, or does not. */
export interface Case {
  readonly rule: string;
  readonly what: string;
  readonly isBroken: boolean;
  readonly manifests: readonly Manifest[];
  /** Where the first fault is. */
  readonly at?: string;
  readonly origins: readonly string[];
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  NetworkPolicy: "networking.k8s.io/v1",
  Ingress: "networking.k8s.io/v1",
  HTTPRoute: "gateway.networking.k8s.io/v1",
  Gateway: "gateway.networking.k8s.io/v1",
  ReferenceGrant: "gateway.networking.k8s.io/v1beta1",
  Certificate: "cert-manager.io/v1",
  ExternalSecret: "external-secrets.io/v1",
  ServiceMonitor: "monitoring.coreos.com/v1",
  PodMonitor: "monitoring.coreos.com/v1",
  HorizontalPodAutoscaler: "autoscaling/v2",
  VerticalPodAutoscaler: "autoscaling.k8s.io/v1",
  ScaledObject: "keda.sh/v1alpha1",
  PodDisruptionBudget: "policy/v1",
  Role: "rbac.authorization.k8s.io/v1",
  ClusterRole: "rbac.authorization.k8s.io/v1",
  RoleBinding: "rbac.authorization.k8s.io/v1",
  ClusterRoleBinding: "rbac.authorization.k8s.io/v1",
};
const CLUSTER_WIDE = ["Namespace", "ClusterRole", "ClusterRoleBinding"];

interface Short {
  readonly kind: string;
  readonly apiVersion?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Fields;
  readonly annotations?: Fields;
  readonly pods?: Fields;
  readonly pod?: Fields;
  readonly container?: Fields;
  readonly spec?: Fields;
}

/** Whole manifests stand for themselves. */
function unfold(object: Short & Fields): Manifest {
  if ("metadata" in object) return object;
  const {
    kind,
    name = "web",
    namespace = "shop",
    labels,
    annotations,
    pods,
    pod,
    container: change,
    spec,
    ...rest
  } = object;
  const place = CLUSTER_WIDE.includes(kind) ? {} : { namespace };
  const metadata = { name, ...place, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) };
  const given = spec === undefined ? {} : { spec };
  if (pods === undefined) return { apiVersion: API_VERSIONS[kind] ?? "v1", kind, metadata, ...given, ...rest };
  const made = { ...template([container(change)], pod), metadata: { labels: pods } };
  const { manifest } = carry(kind, made, metadata);
  return { ...manifest, ...rest, spec: { ...(manifest.spec as Fields), ...spec } };
}

interface Written {
  readonly what: string;
  readonly kind?: string;
  readonly container?: Fields;
  readonly pod?: Fields;
  readonly spec?: Fields;
  readonly annotations?: Fields;
  readonly objects?: readonly (Short & Fields)[];
  readonly at?: string;
  readonly origins?: readonly string[];
}

function manifestsOf({ kind = "Deployment", container: change, pod, spec, annotations, objects }: Written): Manifest[] {
  if (objects !== undefined) return objects.map(unfold);
  const made = template([container(change)], pod);
  const metadata = { ...(made.metadata as Fields), ...(annotations ? { annotations } : {}) };
  const { manifest } = carry(kind, { ...made, metadata });
  return [spec === undefined ? manifest : { ...manifest, spec: { ...(manifest.spec as Fields), ...spec } }];
}

const FOLDER = join(__dirname, "cases");

export const CASES: readonly Case[] = readdirSync(FOLDER).flatMap((file) => {
  const rules = parse(readFileSync(join(FOLDER, file), "utf8")) as Record<
    string,
    { broken: Written[]; clean: Written[] }
  >;
  return Object.entries(rules).flatMap(([rule, { broken, clean }]) =>
    [...broken, ...clean].map((written) => ({
      rule,
      what: written.what,
      isBroken: broken.includes(written),
      manifests: manifestsOf(written),
      ...(written.at === undefined ? {} : { at: written.at }),
      origins: written.origins ?? [],
    })),
  );
});
