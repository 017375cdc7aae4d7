import * as fs from "node:fs";
import * as path from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, selector } from "../lib/labels";
import { SKIP_AWAIT, WORKLOAD_TIMEOUT, containerSecurity, podSecurity } from "../lib/security";
import { whenReady, whileAlive } from "../lib/probes";
import { KEEPER_PORT, RAFT_PORT, SERVERS, type Seal, VAULT_PORT, keeperSettings, serverConfig } from "./settings";

export interface ServerArgs {
  readonly namespace: pulumi.Output<string>;
  readonly images: { readonly vault: pulumi.Input<string>; readonly node: pulumi.Input<string> };
  readonly replicas: number;
  readonly storage: string;
  readonly spread: "soft" | "hard";
  readonly seal: Seal;
  /** The Secret with tls.crt, tls.key and ca.crt. */
  readonly tls: pulumi.Input<string>;
  readonly account: pulumi.Input<string>;
}

const DATA = { name: "data", mountPath: "/vault/data" };
const TLS = { name: "tls", mountPath: "/vault/tls", readOnly: true };
const CONFIG = { name: "config", mountPath: "/vault/config", readOnly: true };

type Name = (role: string) => string;

/** The servers, each with its keeper beside it. They all start at once: a sealed one is of use to nobody. */
export function createServers(
  child: Name,
  args: ServerArgs,
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): k8s.apps.v1.StatefulSet {
  const { namespace, replicas } = args;
  const config = createConfig(child, args, identity, opts);
  return new k8s.apps.v1.StatefulSet(
    child("server"),
    {
      metadata: { name: identity.name, namespace, labels: labels(identity) },
      spec: {
        serviceName: SERVERS,
        replicas,
        podManagementPolicy: "Parallel",
        selector: { matchLabels: selector(identity) },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
        template: {
          metadata: { labels: labels(identity) },
          spec: {
            serviceAccountName: args.account,
            // Vault asks the API server whether a login's token is genuine, and the keeper keeps the seal's key there.
            automountServiceAccountToken: true,
            enableServiceLinks: false,
            // So that the keeper can tell the server to read a renewed certificate.
            shareProcessNamespace: true,
            terminationGracePeriodSeconds: 15,
            securityContext: podSecurity(),
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: "kubernetes.io/hostname",
                whenUnsatisfiable: args.spread === "hard" ? "DoNotSchedule" : "ScheduleAnyway",
                labelSelector: { matchLabels: selector(identity) },
              },
            ],
            containers: [vaultContainer(args), keeperContainer(args)],
            volumes: [
              { name: "config", configMap: { name: config.metadata.name } },
              { name: "tls", secret: { secretName: args.tls } },
              { name: "tmp", emptyDir: { sizeLimit: "16Mi" } },
            ],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: "data", labels: selector(identity) },
            spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: args.storage } } },
          },
        ],
      },
    },
    { ...opts, ...WORKLOAD_TIMEOUT },
  );
}

function createConfig(
  child: Name,
  { namespace, replicas, seal }: ServerArgs,
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.ConfigMap {
  return new k8s.core.v1.ConfigMap(
    child("config"),
    {
      metadata: { namespace, labels: labels(identity) },
      data: {
        "vault.hcl": namespace.apply((name) => serverConfig(name, replicas, seal)),
        "keeper.json": namespace.apply((name) => keeperSettings(name, replicas, seal, labels(identity))),
        "keeper.mjs": fs.readFileSync(path.join(__dirname, "keeper.mjs"), "utf8"),
      },
    },
    opts,
  );
}

const POD_NAME = { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };

function vaultContainer({ images, namespace, seal }: ServerArgs): k8s.types.input.core.v1.Container {
  const own = pulumi.interpolate`https://$(POD_NAME).${SERVERS}.${namespace}.svc.cluster.local`;
  const health = (query: string): k8s.types.input.core.v1.Probe => ({
    httpGet: { path: `/v1/sys/health?${query}`, port: "https", scheme: "HTTPS" },
  });
  return {
    name: "vault",
    image: images.vault,
    command: ["vault", "server", "-config=/vault/config/vault.hcl", "-log-format=json", "-log-level=warn"],
    env: [
      POD_NAME,
      { name: "VAULT_API_ADDR", value: pulumi.interpolate`${own}:${VAULT_PORT}` },
      { name: "VAULT_CLUSTER_ADDR", value: pulumi.interpolate`${own}:${RAFT_PORT}` },
      { name: "VAULT_RAFT_NODE_ID", value: "$(POD_NAME)" },
      { name: "HOME", value: "/tmp" },
    ],
    envFrom: seal.credentials ? [{ secretRef: { name: seal.credentials } }] : [],
    ports: [
      { name: "https", containerPort: VAULT_PORT },
      { name: "raft", containerPort: RAFT_PORT },
    ],
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { cpu: "1", memory: "384Mi" } },
    readinessProbe: whenReady(health("standbyok=true")),
    // Sealed, empty or without a leader it is no server, but to start it anew would mend none of that.
    livenessProbe: whileAlive(health("standbyok=true&sealedcode=204&uninitcode=204&haunhealthycode=204")),
    securityContext: containerSecurity(),
    volumeMounts: [DATA, TLS, CONFIG, { name: "tmp", mountPath: "/tmp" }],
  };
}

function keeperContainer({ images }: ServerArgs): k8s.types.input.core.v1.Container {
  return {
    name: "keeper",
    image: images.node,
    command: ["node", "--max-old-space-size=48", "/vault/config/keeper.mjs"],
    env: [POD_NAME, { name: "KEEPER_SETTINGS", value: "/vault/config/keeper.json" }],
    ports: [{ name: "keeper", containerPort: KEEPER_PORT }],
    resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { cpu: "500m", memory: "128Mi" } },
    readinessProbe: whenReady({ httpGet: { path: "/", port: "keeper" } }),
    securityContext: containerSecurity(),
    volumeMounts: [DATA, TLS, CONFIG],
  };
}

/** One Service for clients, one that names each server, sealed or not, so that they find each other. */
export function createServices(
  child: Name,
  {
    namespace,
    address,
    annotations,
  }: { namespace: pulumi.Output<string>; address?: string; annotations: Record<string, pulumi.Input<string>> },
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const port = { name: "https", port: VAULT_PORT, targetPort: "https" };
  return [
    new k8s.core.v1.Service(
      child("service"),
      {
        metadata: {
          name: identity.name,
          namespace,
          labels: labels(identity),
          annotations: { ...SKIP_AWAIT, ...annotations },
        },
        spec: {
          type: "LoadBalancer",
          allocateLoadBalancerNodePorts: false,
          ...(address ? { loadBalancerIP: address } : {}),
          selector: selector(identity),
          ports: [port],
        },
      },
      opts,
    ),
    new k8s.core.v1.Service(
      child("servers"),
      {
        metadata: { name: SERVERS, namespace, labels: labels(identity), annotations: SKIP_AWAIT },
        spec: {
          clusterIP: "None",
          publishNotReadyAddresses: true,
          selector: selector(identity),
          ports: [port, { name: "raft", port: RAFT_PORT, targetPort: "raft" }],
        },
      },
      opts,
    ),
  ];
}
