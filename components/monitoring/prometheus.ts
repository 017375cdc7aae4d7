import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ENVIRONMENT_LABEL, type Identity, labels, selector } from "../lib/labels";
import { bytes } from "../lib/quantities";
import { WORKLOAD_TIMEOUT, podSecurity } from "../lib/security";
import { ALERTMANAGER } from "./alertmanager";
import { MONITORING_API, WAIT_FOR_AVAILABLE } from "./operator";

export interface PrometheusArgs {
  readonly environment: string;
  readonly namespace: pulumi.Output<string>;
  readonly image: pulumi.Input<string>;
  /** Of the environment, by concern: where its targets are looked for. */
  readonly namespaces: Readonly<Record<string, pulumi.Output<string>>>;
  readonly retention: string;
  readonly storage: string;
  /** Prometheus' own configuration for what is no pod of the environment. */
  readonly scrapes: pulumi.Output<string>;
}

type Name = (role: string) => string;

export const PROMETHEUS_PORT = 9090;
/** By the Service that the operator makes. */
export const prometheusUrl = (namespace: string): string =>
  `http://prometheus-operated.${namespace}.svc.cluster.local:${PROMETHEUS_PORT}`;
/** What the operator calls the port of its servers. */
const WEB = "web";
/** The version whose options and configuration the operator writes: that of the image. */
const VERSION = "3.5.0";
/** The part of the volume that samples may fill; the rest is for what was not compacted yet. */
const SAMPLES_SHARE = 0.75;

/** Resolves to the account's name once it may look for targets, in the environment's namespaces and nowhere else. */
function createAccount(
  child: Name,
  { namespace, namespaces }: PrometheusArgs,
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const { name } = identity;
  const shared = { name, labels: labels(identity) };
  const account = new k8s.core.v1.ServiceAccount(
    child("account"),
    { metadata: { ...shared, namespace }, automountServiceAccountToken: false },
    opts,
  );
  const pods = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] };
  // Alertmanager is found by its Service, in the one namespace that both are in.
  const services = [
    { apiGroups: [""], resources: ["services"], verbs: ["get", "list", "watch"] },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["get", "list", "watch"] },
  ];
  const bindings = Object.entries(namespaces).map(([concern, target]) => {
    const role = new k8s.rbac.v1.Role(
      child(`${concern}-role`),
      { metadata: { ...shared, namespace: target }, rules: concern === "monitoring" ? [pods, ...services] : [pods] },
      opts,
    );
    return new k8s.rbac.v1.RoleBinding(
      child(`${concern}-binding`),
      {
        metadata: { ...shared, namespace: target },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
        subjects: [{ kind: "ServiceAccount", name, namespace }],
      },
      opts,
    );
  });
  return pulumi
    .all([account.metadata.name, ...bindings.map((binding) => binding.metadata.name)])
    .apply(([accountName]) => accountName ?? name);
}

/** The server. The operator makes its StatefulSet, and writes its configuration from what it selects here. */
export function createPrometheus(
  child: Name,
  args: PrometheusArgs,
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): k8s.apiextensions.CustomResource {
  const { environment, namespace, storage } = args;
  const scrapes = new k8s.core.v1.Secret(
    child("scrapes"),
    { metadata: { namespace }, stringData: { "scrapes.yaml": args.scrapes } },
    opts,
  );
  const ofEnvironment = { matchLabels: { [ENVIRONMENT_LABEL]: environment } };
  const selecting = Object.fromEntries(
    ["serviceMonitor", "podMonitor", "probe", "rule"].flatMap((kind) => [
      [`${kind}Selector`, ofEnvironment],
      [`${kind}NamespaceSelector`, ofEnvironment],
    ]),
  );
  return new k8s.apiextensions.CustomResource(
    child("server"),
    {
      apiVersion: MONITORING_API,
      kind: "Prometheus",
      metadata: { name: identity.name, namespace, labels: labels(identity), annotations: WAIT_FOR_AVAILABLE },
      spec: {
        replicas: 1,
        image: args.image,
        version: VERSION,
        portName: WEB,
        podMetadata: { labels: { ...selector(identity), [ENVIRONMENT_LABEL]: environment } },
        serviceAccountName: createAccount(child, args, identity, opts),
        enableServiceLinks: false,
        securityContext: podSecurity(),
        resources: { requests: { cpu: "50m", memory: "160Mi" }, limits: { cpu: "1", memory: "448Mi" } },
        ...selecting,
        additionalScrapeConfigs: { name: scrapes.metadata.name, key: "scrapes.yaml" },
        // A monitor names no file of the server's, such as its token, as a credential for its own target.
        arbitraryFSAccessThroughSMs: { deny: true },
        // So that one target cannot take the server down for all others.
        enforcedSampleLimit: 20_000,
        scrapeInterval: "15s",
        scrapeTimeout: "10s",
        evaluationInterval: "15s",
        externalLabels: { environment },
        serviceDiscoveryRole: "EndpointSlice",
        alerting: { alertmanagers: [{ namespace, name: ALERTMANAGER.service, port: WEB, apiVersion: "v2" }] },
        retention: args.retention,
        retentionSize: `${Math.floor(((bytes(storage) ?? 0) * SAMPLES_SHARE) / 2 ** 20)}MB`,
        walCompression: true,
        storage: { volumeClaimTemplate: { spec: { resources: { requests: { storage } } } } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
      },
    },
    { ...opts, ...WORKLOAD_TIMEOUT },
  );
}
