import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type AppResources, resourcesOf } from "../lib/appSettings";
import { type Identity, labels, selector } from "../lib/labels";
import { containerSecurity, podSecurity } from "../lib/security";
import { LEAVES_LOST_NODE, type Spread, spreading } from "../lib/spread";
import { whenReady, whenStarted, whileAlive } from "../lib/probes";
import type { Colour } from "../lib/strategyConfig";
import { COLOUR_LABEL } from "./switch/settings";

/** Where an application has its volume. */
export const DATA = "/data";

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
  /** Certificates as files, and a volume of its own. */
  readonly mounts: readonly Mount[];
  /** Where there are two versions: which this is. What it runs, and how many, is then the switch's. */
  readonly colour?: Colour;
}

/** Files, and where the application has them. */
export interface Mount {
  readonly name: string;
  readonly directory: string;
  /** Whether it writes there: then there is one pod at a time. @default false */
  readonly writable?: boolean;
  readonly volume: Omit<k8s.types.input.core.v1.Volume, "name">;
}

/** The Deployment of an application: closed, limited, probed, spread, and without a gap when it rolls. */
export function deploymentOf(args: DeploymentOf, identity: Identity): k8s.apps.v1.DeploymentArgs {
  const { colour } = args;
  const mark: Record<string, string> = colour ? { [COLOUR_LABEL]: colour } : {};
  const metadata = { labels: { ...labels(identity), ...mark } };
  return {
    metadata: { ...metadata, name: nameOf(identity.name, colour), namespace: args.namespace },
    spec: {
      ...(args.replicas === undefined ? {} : { replicas: colour ? 0 : args.replicas }),
      // With as many replicas as nodes and a hard spread there is no room for one more: the spread is therefore counted
      // per revision, and a rollout never takes a serving pod away first.
      strategy: args.mounts.some(({ writable }) => writable)
        ? { type: "Recreate" }
        : { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      progressDeadlineSeconds: 120,
      selector: { matchLabels: { ...selector(identity), ...mark } },
      template: { metadata, spec: podOf(args, identity) },
    },
  };
}

/** Of an object that there is for each version. */
export const nameOf = (name: string, colour?: Colour): string => (colour ? `${name}-${colour}` : name);

/** What the pods of an application have in common, whatever they are for. */
const shared = (args: DeploymentOf): k8s.types.input.core.v1.PodSpec & { containers: [] } => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  imagePullSecrets: args.pullSecret ? [{ name: args.pullSecret }] : [],
  securityContext: podSecurity(),
  containers: [],
  volumes: [
    { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
    ...args.mounts.map(({ name, volume }) => ({ name, ...volume })),
  ],
});

const container = (args: DeploymentOf, name: string): k8s.types.input.core.v1.Container => ({
  name,
  image: args.image,
  env: Object.entries(args.env ?? {}).map(([variable, value]) => ({ name: variable, value })),
  envFrom: args.envFrom.map((secret) => ({ secretRef: { name: secret } })),
  resources: resourcesOf(args.resources),
  securityContext: containerSecurity(),
  volumeMounts: [
    { name: "tmp", mountPath: "/tmp" },
    ...args.mounts.map((each) => ({ name: each.name, mountPath: each.directory, readOnly: !each.writable })),
  ],
});

function podOf(args: DeploymentOf, identity: Identity): k8s.types.input.core.v1.PodSpec {
  const probe = (path: string): k8s.types.input.core.v1.Probe => ({
    httpGet: { path, port: "http" },
  });
  return {
    ...shared(args),
    tolerations: LEAVES_LOST_NODE,
    terminationGracePeriodSeconds: 30,
    ...spreading(selector(identity), args.spread),
    containers: [
      {
        ...container(args, "app"),
        ports: [{ name: "http", containerPort: args.port }],
        startupProbe: whenStarted(probe("/healthz")),
        readinessProbe: whenReady(probe("/readyz")),
        livenessProbe: whileAlive(probe("/healthz")),
        // Traffic still arrives for a moment after the pod is told to stop.
        lifecycle: { preStop: { sleep: { seconds: 5 } } },
      },
    ],
  };
}

/** A Job that runs a command of the application's image once, and again where it did not end well. */
export const jobOf = (
  args: DeploymentOf,
  command: readonly string[],
  name: string,
  identity: Identity,
): k8s.batch.v1.JobArgs => ({
  metadata: { name, namespace: args.namespace, labels: labels(identity) },
  spec: {
    backoffLimit: 3,
    activeDeadlineSeconds: 180,
    template: {
      metadata: { labels: labels(identity) },
      spec: {
        ...shared(args),
        restartPolicy: "Never",
        containers: [{ ...container(args, "loader"), command: [...command] }],
      },
    },
  },
});
