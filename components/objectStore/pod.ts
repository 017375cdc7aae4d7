import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { whenReady, whenStarted, whileAlive } from "../lib/probes";
import { bytes } from "../lib/quantities";
import { containerSecurity, podSecurity } from "../lib/security";
import { nodesService } from "../lib/serverNames";
import { FRONT, frontFlags } from "./front";
import { ADMINISTRATOR, INSIDE_PORT, type ObjectStoreMode, PORT, SERVER_PORT } from "./settings";

type Container = k8s.types.input.core.v1.Container;
type PodSpec = k8s.types.input.core.v1.PodSpec;
type Volume = k8s.types.input.core.v1.Volume;

/** Where a server finds what it uses; a test has it elsewhere. */
interface ServerPlaces {
  readonly certificates: string;
  readonly data: string;
  readonly port: number;
}

const PLACES: ServerPlaces = { certificates: "/etc/minio", data: "/data", port: SERVER_PORT };

export interface PodArgs {
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  readonly mode: ObjectStoreMode;
  readonly servers: number;
  readonly image: pulumi.Input<string>;
  readonly frontImage: pulumi.Input<string>;
  readonly memory: string;
  readonly spread: "soft" | "hard";
  readonly selector: Readonly<Record<string, string>>;
  /** Names of the objects that hold them. */
  readonly front: pulumi.Input<string>;
  readonly administrator: pulumi.Input<string>;
  readonly certificate: pulumi.Input<string>;
  /** Of a client: with it comes the authority of all of them. */
  readonly client: pulumi.Input<string>;
}

/** Where a server listens and what it keeps: by itself on loopback only, or one of several that reach each other. */
export function serverFlags(
  { mode, servers, name }: Pick<PodArgs, "mode" | "servers" | "name">,
  namespace: string,
  { certificates, data, port }: ServerPlaces = PLACES,
): string[] {
  const listen = (host: string): string[] => ["server", "--address", `${host}:${port}`, "--certs-dir", certificates];
  if (mode === "standalone") return [...listen("127.0.0.1"), data];
  const each = `${name}-{0...${servers - 1}}.${nodesService(name)}.${namespace}.svc.cluster.local`;
  return [...listen(""), `https://${each}:${port}${data}`];
}

/** What a server is told whatever its size. */
export const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  MINIO_BROWSER: "off",
  MINIO_UPDATE: "off",
  // The front lets nobody but Prometheus ask for them.
  MINIO_PROMETHEUS_AUTH_TYPE: "public",
  // A volume is what was declared as one, be it on the same disk as the node's own files.
  MINIO_ROOTDRIVE_THRESHOLD_SIZE: "1",
  MINIO_ROOT_USER: ADMINISTRATOR,
  HOME: "/tmp",
};

function server(args: PodArgs): Container {
  const { image, memory, administrator, namespace, mode } = args;
  const asked = (path: string): k8s.types.input.core.v1.Probe => ({ httpGet: { path, port: INSIDE_PORT } });
  const alive = asked("/minio/health/live");
  return {
    name: "minio",
    image,
    command: ["minio"],
    args: pulumi.output(namespace).apply((text) => serverFlags(args, text)),
    env: [
      ...Object.entries(SERVER_SETTINGS).map(([name, value]) => ({ name, value })),
      { name: "MINIO_ROOT_PASSWORD", valueFrom: { secretKeyRef: { name: administrator, key: ADMINISTRATOR } } },
      { name: "GOMEMLIMIT", value: String(Math.floor((bytes(memory) ?? 0) * 0.85)) },
    ],
    ports: [{ name: "server", containerPort: SERVER_PORT }],
    resources: { requests: { cpu: "50m", memory }, limits: { cpu: "1", memory } },
    startupProbe: whenStarted(alive),
    readinessProbe: {
      ...whenReady(asked("/minio/health/cluster/read")),
      // One that comes back finds the drives of the others within ten seconds. Until then it takes no writes, and may not know
      // of an object that was written without it.
      ...(mode === "distributed" ? { successThreshold: 6 } : {}),
    },
    livenessProbe: whileAlive(alive),
    securityContext: containerSecurity(),
    volumeMounts: [
      { name: "data", mountPath: PLACES.data },
      { name: "certificate", mountPath: PLACES.certificates, readOnly: true },
      { name: "tmp", mountPath: "/tmp" },
    ],
  };
}

function front({ frontImage }: PodArgs): Container {
  const alive = { httpGet: { path: "/ping", port: "inside" } };
  return {
    name: "front",
    image: frontImage,
    args: frontFlags(),
    ports: [
      { name: "clients", containerPort: PORT },
      { name: "inside", containerPort: INSIDE_PORT },
    ],
    resources: { requests: { cpu: "20m", memory: "48Mi" }, limits: { cpu: "1", memory: "160Mi" } },
    startupProbe: whenStarted(alive),
    readinessProbe: whenReady(alive),
    livenessProbe: whileAlive(alive),
    // The address is still known to clients for a moment after the pod is told to stop.
    lifecycle: { preStop: { sleep: { seconds: 5 } } },
    securityContext: containerSecurity(),
    volumeMounts: [{ name: "front", mountPath: FRONT.directory, readOnly: true }],
  };
}

const secret = (
  name: pulumi.Input<string>,
  files: Readonly<Record<string, string>>,
): k8s.types.input.core.v1.VolumeProjection => ({
  secret: { name, items: Object.entries(files).map(([key, path]) => ({ key, path })) },
});

const volumes = ({ front: config, certificate, client }: PodArgs): Volume[] => [
  {
    name: "front",
    projected: {
      defaultMode: 0o440,
      sources: [
        { configMap: { name: config } },
        secret(certificate, { "tls.crt": "tls.crt", "tls.key": "tls.key", "ca.crt": "ca.crt" }),
        secret(client, { "ca.crt": "clients.crt" }),
      ],
    },
  },
  {
    name: "certificate",
    projected: {
      defaultMode: 0o440,
      sources: [secret(certificate, { "tls.crt": "public.crt", "tls.key": "private.key", "ca.crt": "CAs/ca.crt" })],
    },
  },
  { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
];

export const podSpec = (args: PodArgs): PodSpec => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  terminationGracePeriodSeconds: 45,
  securityContext: podSecurity(),
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: args.spread === "hard" ? "DoNotSchedule" : "ScheduleAnyway",
      labelSelector: { matchLabels: args.selector },
    },
  ],
  containers: [server(args), front(args)],
  volumes: volumes(args),
});
