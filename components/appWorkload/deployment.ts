import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type AppResources, resourcesOf } from "../lib/appSettings";
import { type Identity, labels, selector } from "../lib/labels";
import { containerSecurity, podSecurity } from "../lib/security";
import { LEAVES_LOST_NODE, type Spread, spreading } from "../lib/spread";
import { whenReady, whenStarted, whileAlive } from "../lib/probes";

export interface DeploymentOf {
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  readonly pullSecret?: pulumi.Input<string>;
  readonly port: number;
  /** Absent where an autoscaler decides. */
  readonly replicas?: number;
  readonly spread: Spread;
  readonly env?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Secrets whose keys become variables. */
  readonly envFrom: readonly pulumi.Input<string>[];
  readonly resources?: AppResources;
  /** A certificate as a file, and where the application has it. */
  readonly trusted?: { readonly configMap: pulumi.Input<string>; readonly directory: string };
}

/** The Deployment of an application: closed, limited, probed, spread, and without a gap when it rolls. */
export function deploymentOf(args: DeploymentOf, identity: Identity): k8s.apps.v1.DeploymentArgs {
  return {
    metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity) },
    spec: {
      ...(args.replicas === undefined ? {} : { replicas: args.replicas }),
      // With as many replicas as nodes and a hard spread there is no room for one more: the spread is therefore counted
      // per revision, and a rollout never takes a serving pod away first.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      progressDeadlineSeconds: 120,
      selector: { matchLabels: selector(identity) },
      template: { metadata: { labels: labels(identity) }, spec: podOf(args, identity) },
    },
  };
}

function podOf(args: DeploymentOf, identity: Identity): k8s.types.input.core.v1.PodSpec {
  const probe = (path: string): k8s.types.input.core.v1.Probe => ({
    httpGet: { path, port: "http" },
  });
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    tolerations: LEAVES_LOST_NODE,
    imagePullSecrets: args.pullSecret ? [{ name: args.pullSecret }] : [],
    terminationGracePeriodSeconds: 30,
    securityContext: podSecurity(),
    ...spreading(selector(identity), args.spread),
    containers: [
      {
        name: "app",
        image: args.image,
        ports: [{ name: "http", containerPort: args.port }],
        env: Object.entries(args.env ?? {}).map(([variable, value]) => ({ name: variable, value })),
        envFrom: args.envFrom.map((name) => ({ secretRef: { name } })),
        resources: resourcesOf(args.resources),
        startupProbe: whenStarted(probe("/healthz")),
        readinessProbe: whenReady(probe("/readyz")),
        livenessProbe: whileAlive(probe("/healthz")),
        // Traffic still arrives for a moment after the pod is told to stop.
        lifecycle: { preStop: { sleep: { seconds: 5 } } },
        securityContext: containerSecurity(),
        volumeMounts: [
          { name: "tmp", mountPath: "/tmp" },
          ...(args.trusted ? [{ name: "trusted", mountPath: args.trusted.directory, readOnly: true }] : []),
        ],
      },
    ],
    volumes: [
      { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
      ...(args.trusted ? [{ name: "trusted", configMap: { name: args.trusted.configMap } }] : []),
    ],
  };
}
