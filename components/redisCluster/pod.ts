import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { nodesService } from "../lib/serverNames";
import { containerSecurity, podSecurity } from "../lib/security";
import { whenReady, whenStarted, whileAlive } from "../lib/probes";
import { BUS_PORT, PORT, type RedisMode, SENTINEL_PORT } from "./settings";

type Container = k8s.types.input.core.v1.Container;
type PodSpec = k8s.types.input.core.v1.PodSpec;
type EnvVar = k8s.types.input.core.v1.EnvVar;

/** The user and group of the official image. */
const UID = 999;
export const EXPORTER_PORT = 9121;

export interface PodArgs {
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  readonly mode: RedisMode;
  /** Of sentinels; a cluster's pods must not know how many they are. */
  readonly count: number;
  readonly image: pulumi.Input<string>;
  readonly exporterImage?: pulumi.Input<string>;
  readonly memory: string;
  /** For how long a password that was replaced is still good. */
  readonly overlapSeconds: number;
  /** The Secret with tls.crt, tls.key and ca.crt. @default none: everything is sent in the open */
  readonly certificate?: pulumi.Input<string>;
  /** Names of the objects that hold them. */
  readonly files: pulumi.Input<string>;
  readonly passwords: pulumi.Input<string>;
}

const overlap = ({ overlapSeconds }: PodArgs): EnvVar => ({ name: "OVERLAP_SECONDS", value: String(overlapSeconds) });
const fromPod = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const script = (file: string, ...args: string[]): string[] => ["sh", `/etc/redis/${file}.sh`, ...args];

export const serviceHost = (name: string, namespace: pulumi.Input<string>): pulumi.Output<string> =>
  pulumi.interpolate`${name}.${namespace}.svc.cluster.local`;

/** How the scripts find the other pods, and their own part. */
const surroundings = ({ name, namespace, mode, count, certificate }: PodArgs): EnvVar[] => [
  { name: "MODE", value: mode },
  {
    name: "PEER_FORMAT",
    value: pulumi.interpolate`${name}-%s.${nodesService(name)}.${namespace}.svc.cluster.local`,
  },
  ...(mode === "sentinel"
    ? [
        { name: "MASTER_NAME", value: name },
        { name: "COUNT", value: String(count) },
      ]
    : []),
  ...(certificate ? [{ name: "TLS", value: "true" }] : []),
];

const identity = [
  fromPod("POD", "metadata.name"),
  fromPod("POD_IP", "status.podIP"),
  fromPod("MACHINE", "spec.nodeName"),
];

const mounts = ({ certificate }: PodArgs): k8s.types.input.core.v1.VolumeMount[] => [
  { name: "files", mountPath: "/etc/redis", readOnly: true },
  { name: "passwords", mountPath: "/etc/redis-passwords", readOnly: true },
  ...(certificate ? [{ name: "certificate", mountPath: "/etc/redis-tls", readOnly: true }] : []),
  { name: "run", mountPath: "/run/redis" },
];

const volumes = ({ certificate, files, passwords }: PodArgs): k8s.types.input.core.v1.Volume[] => [
  { name: "files", configMap: { name: files } },
  { name: "passwords", secret: { secretName: passwords, defaultMode: 0o440 } },
  ...(certificate ? [{ name: "certificate", secret: { secretName: certificate, defaultMode: 0o440 } }] : []),
  // It holds passwords: memory, not a disk.
  { name: "run", emptyDir: { medium: "Memory", sizeLimit: "4Mi" } },
];

const small = (memory: string): k8s.types.input.core.v1.ResourceRequirements => ({
  requests: { cpu: "10m", memory: "16Mi" },
  limits: { cpu: "500m", memory },
});

function server(args: PodArgs): Container {
  const probe = (what: string): { exec: { command: string[] } } => ({ exec: { command: script("probe", what) } });
  return {
    name: "redis",
    image: args.image,
    command: script("redis"),
    env: [...surroundings(args), ...identity, overlap(args)],
    ports: [
      { name: "redis", containerPort: PORT },
      ...(args.mode === "cluster" ? [{ name: "bus", containerPort: BUS_PORT }] : []),
    ],
    resources: { requests: { cpu: "50m", memory: args.memory }, limits: { cpu: "1", memory: args.memory } },
    startupProbe: whenStarted({ tcpSocket: { port: "redis" } }),
    // A command in a container is dear: where others can take over, it may take a little longer to be seen.
    readinessProbe: { ...probe("ready"), periodSeconds: args.mode === "standalone" ? 3 : 8, timeoutSeconds: 10 },
    livenessProbe: { ...probe("alive"), periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 3 },
    ...(args.mode === "standalone" ? {} : { lifecycle: { preStop: { exec: { command: script("stop") } } } }),
    securityContext: containerSecurity(),
    volumeMounts: [{ name: "data", mountPath: "/data" }, ...mounts(args)],
  };
}

function sentinel(args: PodArgs): Container {
  const probe = { tcpSocket: { port: "sentinel" } };
  return {
    name: "sentinel",
    image: args.image,
    command: script("sentinel"),
    env: [...surroundings(args), ...identity, overlap(args)],
    ports: [{ name: "sentinel", containerPort: SENTINEL_PORT }],
    resources: small("64Mi"),
    readinessProbe: whenReady(probe),
    livenessProbe: whileAlive(probe),
    securityContext: containerSecurity(),
    volumeMounts: [{ name: "data", mountPath: "/data" }, ...mounts(args)],
  };
}

const keeper = (args: PodArgs): Container => ({
  name: "keeper",
  image: args.image,
  command: script("keeper"),
  env: [...surroundings(args), ...identity],
  resources: small("48Mi"),
  securityContext: containerSecurity(),
  volumeMounts: mounts(args),
});

const exporter = ({ exporterImage, certificate, passwords }: PodArgs): Container => ({
  name: "exporter",
  image: exporterImage,
  env: [
    { name: "REDIS_ADDR", value: `${certificate ? "rediss" : "redis"}://localhost:${PORT}` },
    { name: "REDIS_USER", value: "exporter" },
    { name: "REDIS_PASSWORD", valueFrom: { secretKeyRef: { name: passwords, key: "exporter" } } },
    // Its settings hold a password, which the exporter's user may therefore not read.
    { name: "REDIS_EXPORTER_CONFIG_COMMAND", value: "-" },
    { name: "REDIS_EXPORTER_SET_CLIENT_NAME", value: "false" },
    ...(certificate ? [{ name: "REDIS_EXPORTER_TLS_CA_CERT_FILE", value: "/etc/redis-tls/ca.crt" }] : []),
  ],
  ports: [{ name: "metrics", containerPort: EXPORTER_PORT }],
  resources: small("64Mi"),
  // Not one for readiness: Redis serves as well without it.
  livenessProbe: whileAlive({ httpGet: { path: "/health", port: "metrics" } }),
  securityContext: containerSecurity(),
  volumeMounts: certificate ? [{ name: "certificate", mountPath: "/etc/redis-tls", readOnly: true }] : [],
});

export interface SpreadArgs {
  readonly spread: "soft" | "hard";
  readonly selector: Readonly<Record<string, string>>;
}

export const podSpec = (args: PodArgs, { spread, selector }: SpreadArgs): PodSpec => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  // Long enough to hand over to a replica and to write the rest to the disk.
  terminationGracePeriodSeconds: args.mode === "standalone" ? 20 : 60,
  securityContext: podSecurity(UID),
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: spread === "hard" ? "DoNotSchedule" : "ScheduleAnyway",
      labelSelector: { matchLabels: selector },
    },
  ],
  containers: [
    server(args),
    ...(args.mode === "sentinel" ? [sentinel(args)] : []),
    ...(args.mode === "standalone" ? [] : [keeper(args)]),
    ...(args.exporterImage === undefined ? [] : [exporter(args)]),
  ],
  volumes: volumes(args),
});

/** A pod that brings a cluster to its size and ends. */
export const resizePodSpec = (args: PodArgs, command: readonly string[]): PodSpec => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  restartPolicy: "Never",
  securityContext: podSecurity(UID),
  containers: [
    {
      name: "resize",
      image: args.image,
      command: script("resize", ...command),
      env: [...surroundings(args), { name: "SERVICE", value: serviceHost(args.name, args.namespace) }],
      resources: small("64Mi"),
      securityContext: containerSecurity(),
      volumeMounts: mounts(args),
    },
  ],
  volumes: volumes(args),
});
