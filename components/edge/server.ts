import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, selector } from "../lib/labels";
import { WORKLOAD_TIMEOUT, containerSecurity, podSecurity } from "../lib/security";
import { LEAVES_LOST_NODE, type Spread, spreading } from "../lib/spread";
import { whenReady, whenStarted, whileAlive } from "../lib/probes";

/** A listener of the Gateway belongs to the entry point of the same port. */
export const LISTENS = { http: 8000, https: 8443, health: 9000 };
/** No listener of the Gateway has it, so no route leads here. */
export const METRICS_PORT = 9100;
/** Answers only once the Gateway's routes are loaded. */
export const READY_PATH = "/ready";

const STOP_SECONDS = 5;
const FINISH_SECONDS = 20;

const METRICS = [
  `--entryPoints.metrics.address=:${METRICS_PORT}`,
  "--metrics.prometheus=true",
  "--metrics.prometheus.entryPoint=metrics",
];

export interface ServerArgs {
  readonly environment: string;
  readonly namespace: pulumi.Output<string>;
  readonly routesFrom: pulumi.Output<string>;
  /** The platform's own namespaces whose routes it serves. */
  readonly pages: readonly pulumi.Output<string>[];
  /** Whether it tells its metrics. */
  readonly metrics: boolean;
  readonly image: pulumi.Input<string>;
  readonly account: pulumi.Input<string>;
  readonly replicas: number;
  readonly spread: Spread;
}

const flags = ({ environment, namespace, routesFrom, pages, metrics }: ServerArgs): pulumi.Input<string>[] => [
  ...Object.entries(LISTENS).flatMap(([name, port]) => [
    `--entryPoints.${name}.address=:${port}`,
    `--entryPoints.${name}.transport.lifeCycle.graceTimeOut=${FINISH_SECONDS}s`,
  ]),
  "--ping=true",
  "--ping.entryPoint=health",
  "--providers.kubernetesGateway=true",
  pulumi
    .all([namespace, routesFrom, ...pages])
    .apply((namespaces) => `--providers.kubernetesGateway.namespaces=${namespaces.join(",")}`),
  `--providers.kubernetesGateway.labelSelector=platform/environment=${environment}`,
  // A pod that stops serves on for five seconds: its way there has to be gone well before.
  "--providers.providersThrottleDuration=500ms",
  // Node closes a connection that is idle for five seconds: who sends on it in that moment loses the request.
  "--serversTransport.forwardingTimeouts.idleConnTimeout=3s",
  ...(metrics ? METRICS : []),
  "--global.checkNewVersion=false",
  "--global.sendAnonymousUsage=false",
  "--log.level=WARN",
  "--log.format=json",
];

export function createServer(
  resourceName: string,
  args: ServerArgs,
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): k8s.apps.v1.Deployment {
  return new k8s.apps.v1.Deployment(
    resourceName,
    {
      metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity) },
      spec: {
        replicas: args.replicas,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        progressDeadlineSeconds: 120,
        selector: { matchLabels: selector(identity) },
        template: { metadata: { labels: labels(identity) }, spec: podOf(args, identity) },
      },
    },
    { ...opts, ...WORKLOAD_TIMEOUT },
  );
}

function podOf(args: ServerArgs, identity: Identity): k8s.types.input.core.v1.PodSpec {
  const probe = (path: string): k8s.types.input.core.v1.Probe => ({
    httpGet: { path, port: "health" },
  });
  const ports = { ...LISTENS, ...(args.metrics ? { metrics: METRICS_PORT } : {}) };
  return {
    serviceAccountName: args.account,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    tolerations: LEAVES_LOST_NODE,
    terminationGracePeriodSeconds: STOP_SECONDS + FINISH_SECONDS + 5,
    securityContext: podSecurity(),
    ...spreading(selector(identity), args.spread),
    containers: [
      {
        name: "traefik",
        image: args.image,
        args: flags(args),
        ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })),
        resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { cpu: "1", memory: "256Mi" } },
        startupProbe: whenStarted(probe("/ping")),
        readinessProbe: whenReady(probe(READY_PATH)),
        livenessProbe: whileAlive(probe("/ping")),
        // New connections still arrive for a moment after the pod is told to stop.
        lifecycle: { preStop: { sleep: { seconds: STOP_SECONDS } } },
        securityContext: containerSecurity(),
      },
    ],
  };
}
