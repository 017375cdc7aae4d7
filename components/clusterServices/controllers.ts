import * as pulumi from "@pulumi/pulumi";
import { MONITORING_GROUP } from "../lib/cluster";
import { type Controller, OPERATORS_NAMESPACE } from "./controller";

const READ = ["get", "list", "watch"];
const WRITE = ["create", "update", "patch", "delete"];
const EVENTS = { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] };
/** Where each controller tells its metrics, for every environment's Prometheus. */
export const CONTROLLER_METRICS = {
  "cert-manager": 9402,
  "external-secrets": 8080,
  "prometheus-operator": 8080,
  "kube-state-metrics": 8080,
} as const;
const SECRETS = { apiGroups: [""], resources: ["secrets"], verbs: [...READ, ...WRITE] };

/** cert-manager with the controllers that an authority of one's own needs: no ACME, no cloud's issuer. */
export function certManager(image: pulumi.Input<string>): Controller {
  const controllers = [
    "clusterissuers",
    "certificates-issuing",
    "certificates-key-manager",
    "certificates-readiness",
    "certificates-request-manager",
    "certificates-revision-manager",
    "certificates-trigger",
    "certificaterequests-approver",
    "certificaterequests-issuer-ca",
    "certificaterequests-issuer-selfsigned",
  ];
  const group = "cert-manager.io";
  const own = ["issuers", "clusterissuers", "certificates", "certificaterequests"];
  return {
    name: "cert-manager",
    image,
    args: [
      `--controllers=${controllers.join(",")}`,
      `--cluster-resource-namespace=${OPERATORS_NAMESPACE}`,
      "--leader-elect=false",
      // What was signed for an environment goes with it, wherever it lay.
      "--enable-certificate-owner-ref=true",
      "--v=2",
    ],
    rules: [
      { apiGroups: [group], resources: own, verbs: READ },
      { apiGroups: [group], resources: ["certificates"], verbs: ["update", "patch"] },
      { apiGroups: [group], resources: ["certificaterequests"], verbs: WRITE },
      {
        apiGroups: [group],
        resources: own.flatMap((each) => [`${each}/status`, `${each}/finalizers`]),
        verbs: ["update", "patch"],
      },
      {
        apiGroups: [group],
        resources: ["signers"],
        verbs: ["approve"],
        resourceNames: ["issuers.cert-manager.io/*", "clusterissuers.cert-manager.io/*"],
      },
      SECRETS,
      EVENTS,
    ],
    health: { path: "/livez", port: 9403 },
    memory: "192Mi",
    metrics: CONTROLLER_METRICS["cert-manager"],
  };
}

/** External Secrets for the stores in each namespace; nothing is pushed, and no store serves the whole cluster. */
export function externalSecrets(image: pulumi.Input<string>): Controller {
  const group = "external-secrets.io";
  const own = ["externalsecrets", "secretstores"];
  return {
    name: "external-secrets",
    image,
    args: [
      "--concurrent=4",
      "--enable-cluster-store-reconciler=false",
      "--enable-cluster-external-secret-reconciler=false",
      "--enable-cluster-push-secret-reconciler=false",
      "--enable-push-secret-reconciler=false",
      "--enable-generator-state=false",
      "--metrics-addr=:8080",
      "--live-addr=:8082",
      "--loglevel=warn",
      "--zap-time-encoding=rfc3339",
    ],
    rules: [
      { apiGroups: [group], resources: own, verbs: READ },
      // It looks for their leftovers, whatever it is told to manage.
      { apiGroups: [`generators.${group}`], resources: ["generatorstates"], verbs: READ },
      {
        apiGroups: [group],
        resources: own.flatMap((each) => [each, `${each}/status`, `${each}/finalizers`]),
        verbs: ["update", "patch"],
      },
      SECRETS,
      { apiGroups: [""], resources: ["serviceaccounts", "namespaces", "configmaps"], verbs: READ },
      { apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["create"] },
      EVENTS,
    ],
    health: { path: "/healthz", port: 8082 },
    memory: "192Mi",
    metrics: CONTROLLER_METRICS["external-secrets"],
  };
}

/**
 * Runs what the environments' Prometheus and Alertmanager resources ask for. It reads in the whole cluster; what it may write
 * there, each environment grants it in its own monitoring namespace.
 */
export function prometheusOperator(image: pulumi.Input<string>, reloader: pulumi.Input<string>): Controller {
  const group = MONITORING_GROUP;
  const run = ["prometheuses", "alertmanagers"];
  return {
    name: "prometheus-operator",
    image,
    args: [
      pulumi.interpolate`--prometheus-config-reloader=${reloader}`,
      // Its containers are held to the rules as all others are.
      "--enable-config-reloader-probes",
      "--config-reloader-cpu-request=10m",
      "--config-reloader-cpu-limit=200m",
      "--config-reloader-memory-request=16Mi",
      "--config-reloader-memory-limit=48Mi",
      "--log-level=warn",
    ],
    rules: [
      {
        apiGroups: [group],
        resources: [...run, "alertmanagerconfigs", "podmonitors", "probes", "prometheusrules", "servicemonitors"],
        verbs: READ,
      },
      { apiGroups: [group], resources: run, verbs: ["update", "patch"] },
      {
        apiGroups: [group],
        resources: run.flatMap((each) => [`${each}/status`, `${each}/finalizers`]),
        verbs: ["update", "patch"],
      },
      { apiGroups: ["apps"], resources: ["statefulsets"], verbs: READ },
      { apiGroups: [""], resources: ["configmaps", "secrets", "namespaces", "pods"], verbs: READ },
      { apiGroups: ["storage.k8s.io"], resources: ["storageclasses"], verbs: ["get"] },
      EVENTS,
    ],
    health: { path: "/healthz", port: CONTROLLER_METRICS["prometheus-operator"] },
    memory: "128Mi",
    metrics: CONTROLLER_METRICS["prometheus-operator"],
  };
}

/** What the cluster knows of pods, workloads and quotas, as metrics: those that the platform's alerts ask for, and no more. */
export function kubeStateMetrics(image: pulumi.Input<string>): Controller {
  const metrics = [
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas_available",
    "kube_node_status_condition",
    "kube_pod_container_status_restarts_total",
    "kube_pod_container_status_waiting_reason",
    "kube_pod_status_phase",
    "kube_pod_status_ready",
    "kube_resourcequota",
    "kube_statefulset_replicas",
    "kube_statefulset_status_replicas_ready",
  ];
  return {
    name: "kube-state-metrics",
    image,
    args: [
      "--host=0.0.0.0",
      `--port=${CONTROLLER_METRICS["kube-state-metrics"]}`,
      "--telemetry-host=127.0.0.1",
      "--resources=deployments,nodes,pods,resourcequotas,statefulsets",
      `--metric-allowlist=${metrics.join(",")}`,
    ],
    rules: [
      { apiGroups: [""], resources: ["nodes", "pods", "resourcequotas"], verbs: ["list", "watch"] },
      { apiGroups: ["apps"], resources: ["deployments", "statefulsets"], verbs: ["list", "watch"] },
    ],
    health: { path: "/healthz", port: CONTROLLER_METRICS["kube-state-metrics"] },
    memory: "96Mi",
    metrics: CONTROLLER_METRICS["kube-state-metrics"],
  };
}
