import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { whenStarted, whileAlive } from "../lib/probes";
import { nodesService } from "../lib/serverNames";
import { containerSecurity, podSecurity } from "../lib/security";
import { PATRONI_PORT } from "./patroni";
import { ADMIN, EXPORTER_PORT, OWN_LOGINS, PLACES, PORT, type PostgresMode, USER } from "./settings";

type Container = k8s.types.input.core.v1.Container;
type PodSpec = k8s.types.input.core.v1.PodSpec;
type EnvVar = k8s.types.input.core.v1.EnvVar;
type VolumeMount = k8s.types.input.core.v1.VolumeMount;

/** Of the exporter alone: by it the server knows who comes through the socket. */
const NOBODY = 65534;

export interface PodArgs {
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  readonly mode: PostgresMode;
  readonly image: pulumi.Input<string>;
  readonly exporterImage?: pulumi.Input<string>;
  readonly memory: string;
  readonly spread: "soft" | "hard";
  readonly selector: Readonly<Record<string, string>>;
  /** Within which an application has a password that was changed. */
  readonly holdSeconds: number;
  /** Names of the objects that hold them. */
  readonly files: pulumi.Input<string>;
  readonly logins: pulumi.Input<string>;
  readonly certificate: pulumi.Input<string>;
  /** As which servers with copies ask the API server. */
  readonly account?: pulumi.Input<string>;
}

/** Where clients of the API server look for their login. */
const TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount";

const script = (file: string, ...args: string[]): string[] => ["sh", `${PLACES.files}/${file}.sh`, ...args];

const FILES: VolumeMount = { name: "files", mountPath: PLACES.files, readOnly: true };
const SOCKET: VolumeMount = { name: "socket", mountPath: PLACES.socket };

const mounts = (container: string, { mode }: PodArgs): VolumeMount[] => [
  FILES,
  { name: "logins", mountPath: "/etc/postgres-logins", readOnly: true },
  { name: "certificate", mountPath: PLACES.certificates, readOnly: true },
  SOCKET,
  { name: "tmp", mountPath: PLACES.tmp, subPath: container },
  ...(mode === "single" ? [] : [{ name: "files", mountPath: "/etc/passwd", subPath: "passwd", readOnly: true }]),
];

const small = (memory: string): k8s.types.input.core.v1.ResourceRequirements => ({
  requests: { cpu: "10m", memory: "16Mi" },
  limits: { cpu: "500m", memory },
});

const probe = (what: string): { exec: { command: string[] } } => ({ exec: { command: script("probe", what) } });

/** How a server starts and how it is asked whether it lives, by mode: by itself, or by Patroni, which may hold it back. */
function startOf(mode: PostgresMode): Partial<Container> {
  if (mode === "single")
    return {
      command: script("server"),
      // After a crash it may read its log for minutes before it serves.
      startupProbe: { ...probe("alive"), periodSeconds: 2, timeoutSeconds: 10, failureThreshold: 150 },
      livenessProbe: { ...whileAlive(probe("alive")), periodSeconds: 20, timeoutSeconds: 10 },
    };
  const liveness = { httpGet: { path: "/liveness", port: "patroni", scheme: "HTTPS" } };
  return {
    command: script("patroni"),
    startupProbe: whenStarted(liveness),
    livenessProbe: whileAlive(liveness),
  };
}

/** Who a pod is to the others. */
function identityOf({ name, namespace }: PodArgs): EnvVar[] {
  const own = pulumi.interpolate`$(POD).${nodesService(name)}.${namespace}.svc.cluster.local`;
  return [
    { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "PATRONI_NAME", value: "$(POD)" },
    { name: "PATRONI_POSTGRESQL_CONNECT_ADDRESS", value: pulumi.interpolate`${own}:${PORT}` },
    { name: "PATRONI_RESTAPI_CONNECT_ADDRESS", value: pulumi.interpolate`${own}:${PATRONI_PORT}` },
    { name: "PGPASSFILE", value: `${PLACES.socket}/pgpass` },
    { name: "HOME", value: PLACES.tmp },
  ];
}

function server(args: PodArgs): Container {
  const { image, memory, logins, mode } = args;
  const isAlone = mode === "single";
  return {
    name: "postgres",
    image,
    ...startOf(mode),
    readinessProbe: { ...probe("ready"), periodSeconds: 3, timeoutSeconds: 10, failureThreshold: 3 },
    env: [
      { name: "MODE", value: mode },
      { name: "ADMIN_USERNAME", value: ADMIN },
      { name: "ADMIN_PASSWORD", valueFrom: { secretKeyRef: { name: logins, key: ADMIN } } },
      ...(isAlone ? [] : identityOf(args)),
    ],
    ports: [
      { name: "postgres", containerPort: PORT },
      ...(isAlone ? [] : [{ name: "patroni", containerPort: PATRONI_PORT }]),
    ],
    resources: { requests: { cpu: "50m", memory }, limits: { cpu: "1", memory } },
    securityContext: containerSecurity(),
    volumeMounts: [
      { name: "data", mountPath: "/data" },
      ...mounts("server", args),
      // What parallel workers share is larger than what a container is given by itself.
      { name: "shared", mountPath: "/dev/shm" },
      ...(isAlone ? [] : [{ name: "token", mountPath: TOKEN, readOnly: true }]),
    ],
  };
}

const keeper = (args: PodArgs): Container => ({
  name: "keeper",
  image: args.image,
  command: script("keeper"),
  env: [
    { name: "MODE", value: args.mode },
    { name: "OWN", value: OWN_LOGINS[args.mode].join(" ") },
    { name: "HOLD_SECONDS", value: String(args.holdSeconds) },
  ],
  resources: small("64Mi"),
  // Ready for good once everybody had a login: should it fail later, the server still serves.
  readinessProbe: {
    exec: { command: ["sh", "-c", `[ -e ${PLACES.tmp}/ready ]`] },
    periodSeconds: 3,
    timeoutSeconds: 10,
  },
  securityContext: containerSecurity(),
  volumeMounts: mounts("keeper", args),
});

const exporter = ({ exporterImage }: PodArgs): Container => ({
  name: "exporter",
  image: exporterImage,
  env: [
    { name: "DATA_SOURCE_NAME", value: `host=${PLACES.socket} user=exporter dbname=postgres sslmode=disable` },
    { name: "PG_EXPORTER_EXTEND_QUERY_PATH", value: `${PLACES.files}/queries.yaml` },
    // Hundreds that never change.
    { name: "PG_EXPORTER_DISABLE_SETTINGS_METRICS", value: "true" },
  ],
  ports: [{ name: "metrics", containerPort: EXPORTER_PORT }],
  resources: small("64Mi"),
  // Not one for readiness: Postgres serves as well without it.
  livenessProbe: whileAlive({ httpGet: { path: "/", port: "metrics" } }),
  securityContext: { ...containerSecurity(), runAsUser: NOBODY, runAsGroup: NOBODY },
  // To connect it need not write, and must not put another server in this one's place.
  volumeMounts: [FILES, { ...SOCKET, readOnly: true }],
});

/** For the server's container alone, which is why it is not mounted by itself. */
const token: k8s.types.input.core.v1.Volume = {
  name: "token",
  projected: {
    defaultMode: 0o440,
    sources: [
      { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    ],
  },
};

export const podSpec = (args: PodArgs): PodSpec => ({
  ...(args.account === undefined ? {} : { serviceAccountName: args.account }),
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  // Long enough to write everything to the disk.
  terminationGracePeriodSeconds: 60,
  securityContext: podSecurity(USER),
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: args.spread === "hard" ? "DoNotSchedule" : "ScheduleAnyway",
      labelSelector: { matchLabels: args.selector },
    },
  ],
  containers: [server(args), keeper(args), ...(args.exporterImage === undefined ? [] : [exporter(args)])],
  volumes: [
    { name: "files", configMap: { name: args.files } },
    { name: "logins", secret: { secretName: args.logins, defaultMode: 0o440 } },
    // Postgres takes no key that others could read, but for its own group.
    { name: "certificate", secret: { secretName: args.certificate, defaultMode: 0o440 } },
    { name: "socket", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
    { name: "shared", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
    { name: "tmp", emptyDir: { sizeLimit: "16Mi" } },
    ...(args.mode === "single" ? [] : [token]),
  ],
});
