import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { whileAlive } from "../lib/probes";
import { containerSecurity, podSecurity } from "../lib/security";
import { ADMIN, EXPORTER_PORT, OWN_LOGINS, PLACES, PORT, type PostgresMode } from "./settings";

type Container = k8s.types.input.core.v1.Container;
type PodSpec = k8s.types.input.core.v1.PodSpec;
type VolumeMount = k8s.types.input.core.v1.VolumeMount;

/** The user and group of the official image. */
const UID = 999;
/** Of the exporter alone: by it the server knows who comes through the socket. */
const NOBODY = 65534;

export interface PodArgs {
  readonly mode: PostgresMode;
  readonly image: pulumi.Input<string>;
  readonly exporterImage?: pulumi.Input<string>;
  readonly memory: string;
  readonly spread: "soft" | "hard";
  readonly selector: Readonly<Record<string, string>>;
  /** Names of the objects that hold them. */
  readonly files: pulumi.Input<string>;
  readonly logins: pulumi.Input<string>;
  readonly certificate: pulumi.Input<string>;
}

const script = (file: string, ...args: string[]): string[] => ["sh", `${PLACES.files}/${file}.sh`, ...args];

const FILES: VolumeMount = { name: "files", mountPath: PLACES.files, readOnly: true };
const SOCKET: VolumeMount = { name: "socket", mountPath: PLACES.socket };

const mounts = (container: string): VolumeMount[] => [
  FILES,
  { name: "logins", mountPath: "/etc/postgres-logins", readOnly: true },
  { name: "certificate", mountPath: PLACES.certificates, readOnly: true },
  SOCKET,
  { name: "tmp", mountPath: PLACES.tmp, subPath: container },
];

const small = (memory: string): k8s.types.input.core.v1.ResourceRequirements => ({
  requests: { cpu: "10m", memory: "16Mi" },
  limits: { cpu: "500m", memory },
});

function server({ image, memory, logins }: PodArgs): Container {
  const probe = (what: string): { exec: { command: string[] } } => ({ exec: { command: script("probe", what) } });
  return {
    name: "postgres",
    image,
    command: script("server"),
    env: [
      { name: "ADMIN_USERNAME", value: ADMIN },
      { name: "ADMIN_PASSWORD", valueFrom: { secretKeyRef: { name: logins, key: ADMIN } } },
    ],
    ports: [{ name: "postgres", containerPort: PORT }],
    resources: { requests: { cpu: "50m", memory }, limits: { cpu: "1", memory } },
    // After a crash it may read its log for minutes before it serves.
    startupProbe: { ...probe("alive"), periodSeconds: 2, timeoutSeconds: 10, failureThreshold: 150 },
    readinessProbe: { ...probe("ready"), periodSeconds: 3, timeoutSeconds: 10, failureThreshold: 3 },
    livenessProbe: { ...whileAlive(probe("alive")), periodSeconds: 20, timeoutSeconds: 10 },
    securityContext: containerSecurity(),
    volumeMounts: [
      { name: "data", mountPath: "/data" },
      ...mounts("server"),
      // What parallel workers share is larger than what a container is given by itself.
      { name: "shared", mountPath: "/dev/shm" },
    ],
  };
}

const keeper = ({ image, mode }: PodArgs): Container => ({
  name: "keeper",
  image,
  command: script("keeper"),
  env: [{ name: "OWN", value: OWN_LOGINS[mode].join(" ") }],
  resources: small("64Mi"),
  // Ready for good once everybody had a login: should it fail later, the server still serves.
  readinessProbe: {
    exec: { command: ["sh", "-c", `[ -e ${PLACES.tmp}/ready ]`] },
    periodSeconds: 3,
    timeoutSeconds: 10,
  },
  securityContext: containerSecurity(),
  volumeMounts: mounts("keeper"),
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
  volumeMounts: [FILES, SOCKET],
});

export const podSpec = (args: PodArgs): PodSpec => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  // Long enough to write everything to the disk.
  terminationGracePeriodSeconds: 60,
  securityContext: podSecurity(UID),
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
  ],
});
