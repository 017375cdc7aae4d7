import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { certificate } from "../lib/certificates";
import { PlatformComponent } from "../lib/component";
import { oneAtATime } from "../lib/disruption";
import { type Identity, labels, selector } from "../lib/labels";
import { type Peer, link } from "../lib/network";
import { SKIP_AWAIT } from "../lib/security";
import { nodesService, serverDnsNames } from "../lib/serverNames";
import type { SecretsPlatform } from "../secretsPlatform";
import { filesOf } from "./files";
import { type Logins, type Settings, keptLogins, ownLogins } from "./logins";
import { EXPORTER_PORT, type PodArgs, podSpec, resizePodSpec, serviceHost } from "./pod";
import { APP, BUS_PORT, PORT, type RedisMode, SENTINEL_PORT } from "./settings";
import { type RedisSize, podsOf } from "./size";

export interface RedisClusterArgs extends RedisSize {
  readonly environment: string;
  readonly namespace: pulumi.Input<string>;
  /** By digest, from the image lock. */
  readonly image: pulumi.Input<string>;
  /** Adds an exporter of metrics to each pod. */
  readonly exporterImage?: pulumi.Input<string>;
  /** Size of each server's volume, which holds its append-only file. */
  readonly storage: string;
  /** Memory limit of each server; its data may take three fifths of it, the rest is for copies while it saves. */
  readonly memory: string;
  /** `hard`: as evenly over the nodes as can be, or not at all; `soft`: rather so. */
  readonly spread: "soft" | "hard";
  /**
   * PEM of the authority of the cluster's issuer, for the clients. With it nothing is sent in the open: clients, replication
   * and the cluster's own traffic. @default none
   */
  readonly authority?: pulumi.Input<string>;
  /** What has to be there before a certificate is issued. */
  readonly services?: pulumi.Input<pulumi.Resource>[];
  /** Keeps the passwords. @default none: they are in the state and in Secrets */
  readonly secrets?: SecretsPlatform;
}

/** A port that clients use, as a link names it. */
export interface RedisEntry {
  readonly peer: Peer;
  readonly port: number;
}

/**
 * Redis, in one of three modes with one interface for its clients. The default user is off; clients log in as a user without
 * administrative commands. All that was synced outlives any restart.
 *
 * - `standalone`: one server. A restart of its pod is an outage of seconds.
 * - `sentinel`: a master with replicas, and a sentinel beside each. A lost master is replaced in seconds.
 * - `cluster`: the keys divided among masters that each have replicas on other nodes. Its size can be changed at any time.
 *
 *     const redis = new RedisCluster("redis", { environment: "dev", namespace, image, mode: "standalone", … }, opts);
 *     new AppWorkload("web", { redis, … }, opts);
 */
export class RedisCluster extends PlatformComponent {
  /** What a client's environment must say, but for REDIS_PASSWORD: REDIS_HOST, _PORT, _USERNAME, _MODE, and with the mode more. */
  readonly connection: Settings;
  readonly peer: Peer;
  readonly entries: readonly RedisEntry[];
  /** Where the exporters tell its metrics; there are some where `exporterImage` is given. */
  readonly metrics: RedisEntry;
  /** Resolves once it takes writes. */
  readonly ready: pulumi.Resource;
  /** The clients' password as it was first generated; where it is kept in Vault, it may be another by now. */
  readonly firstPassword: pulumi.Output<string>;
  private readonly logins: Logins;

  constructor(name: string, args: RedisClusterArgs, opts: pulumi.ComponentResourceOptions) {
    super("RedisCluster", name, opts);
    const identity: Identity = { environment: args.environment, component: "redis", name };
    this.peer = { name, namespace: args.namespace, selector: selector(identity) };
    this.entries = this.entriesOf(args.mode);
    this.metrics = { peer: this.peer, port: EXPORTER_PORT };
    const place = { ...args, name };
    this.logins = args.secrets ? keptLogins(place, args.secrets, this.own) : ownLogins(place, this.own);
    this.firstPassword = this.logins.first;
    const pod: PodArgs = {
      ...args,
      name,
      count: podsOf(args),
      // Servers wait for each other as long as for clients.
      overlapSeconds: (args.secrets?.spreadSeconds ?? 0) + 180,
      files: this.createFiles(args).metadata.name,
      passwords: this.logins.secretName,
      certificate: args.authority === undefined ? undefined : this.createCertificate(args),
    };
    const service = this.createService(args, identity);
    const nodes = this.createNodesService(args, identity);
    this.openPathsInside(args.mode);
    if (podsOf(args) > 1) this.createDisruptionBudget(args, identity);
    if (args.mode === "cluster") {
      const resize: Identity = { environment: args.environment, component: "redis-resize", name: `${name}-resize` };
      const peer = { name: resize.name, namespace: args.namespace, selector: selector(resize) };
      const path = link(peer, this.peer, PORT, this.own);
      const emptied = this.createResize("shrink", args, pod, resize, [service, nodes, ...path]);
      const servers = this.createServers(args, identity, nodes, pod, [emptied]);
      this.ready = this.createResize("grow", args, pod, resize, [servers]);
    } else {
      this.ready = this.createServers(args, identity, nodes, pod, [service]);
    }
    this.connection = this.connectionOf(args);
    this.registerOutputs({ host: this.connection.REDIS_HOST, mode: args.mode });
  }

  /** The Secret with which an application logs in, as its environment: `connection` and REDIS_PASSWORD. */
  clientSecret(client: string, namespace: pulumi.Input<string>): pulumi.Output<string> {
    return this.logins.clientSecret(client, namespace, this.connection);
  }

  private entriesOf(mode: RedisMode): RedisEntry[] {
    const servers = { peer: this.peer, port: PORT };
    const sentinels = { peer: { ...this.peer, name: this.child("sentinel") }, port: SENTINEL_PORT };
    return mode === "sentinel" ? [servers, sentinels] : [servers];
  }

  private connectionOf({ mode, namespace, authority }: RedisClusterArgs): Settings {
    return {
      REDIS_MODE: mode,
      REDIS_HOST: serviceHost(this.ownName, namespace),
      REDIS_PORT: String(mode === "sentinel" ? SENTINEL_PORT : PORT),
      REDIS_USERNAME: APP,
      ...(mode === "sentinel" ? { REDIS_SENTINEL_NAME: this.ownName } : {}),
      ...(authority === undefined ? {} : { REDIS_TLS: "true", REDIS_CA: authority }),
    };
  }

  private createCertificate({ namespace, services = [] }: RedisClusterArgs): pulumi.Output<string> {
    const dnsNames = pulumi.output(namespace).apply((text) => serverDnsNames(this.ownName, text));
    const name = this.child("certificate");
    return certificate(name, { name, namespace, dnsNames }, { ...this.own, dependsOn: services });
  }

  private createFiles({ namespace, mode, memory, replicas }: RedisClusterArgs): k8s.core.v1.ConfigMap {
    return new k8s.core.v1.ConfigMap(
      this.child("files"),
      { metadata: { namespace }, data: filesOf(mode, memory, replicas) },
      this.own,
    );
  }

  /** Where clients begin: any server, or any sentinel. */
  private createService({ namespace, mode }: RedisClusterArgs, identity: Identity): k8s.core.v1.Service {
    const port =
      mode === "sentinel"
        ? { name: "sentinel", port: SENTINEL_PORT, targetPort: "sentinel" }
        : { name: "redis", port: PORT, targetPort: "redis" };
    return new k8s.core.v1.Service(
      this.child("service"),
      {
        metadata: { name: identity.name, namespace, labels: labels(identity), annotations: SKIP_AWAIT },
        spec: { selector: selector(identity), ports: [port] },
      },
      this.own,
    );
  }

  /** Gives each pod a name, also while it is not ready: that is when the others must find it. */
  private createNodesService({ namespace }: RedisClusterArgs, identity: Identity): k8s.core.v1.Service {
    return new k8s.core.v1.Service(
      this.child("nodes"),
      {
        metadata: { name: nodesService(identity.name), namespace, labels: labels(identity), annotations: SKIP_AWAIT },
        spec: {
          clusterIP: "None",
          publishNotReadyAddresses: true,
          selector: selector(identity),
          ports: [{ name: "redis", port: PORT, targetPort: "redis" }],
        },
      },
      this.own,
    );
  }

  private openPathsInside(mode: RedisMode): void {
    if (mode === "standalone") return;
    link(this.peer, this.peer, PORT, this.own);
    const other = mode === "cluster" ? { role: "bus", port: BUS_PORT } : { role: "sentinel", port: SENTINEL_PORT };
    link(this.peer, { ...this.peer, name: this.child(other.role) }, other.port, this.own);
  }

  private createDisruptionBudget({ namespace }: RedisClusterArgs, identity: Identity): void {
    new k8s.policy.v1.PodDisruptionBudget(this.child("budget"), oneAtATime(identity, namespace), this.own);
  }

  private createServers(
    args: RedisClusterArgs,
    identity: Identity,
    nodes: k8s.core.v1.Service,
    pod: PodArgs,
    dependsOn: pulumi.Resource[],
  ): k8s.apps.v1.StatefulSet {
    const count = podsOf(args);
    // Pods are replaced one after the other, each once the one before has all data.
    const timeout = `${4 + count}m`;
    return new k8s.apps.v1.StatefulSet(
      this.child("server"),
      {
        metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity) },
        spec: {
          serviceName: nodes.metadata.name,
          replicas: count,
          podManagementPolicy: "Parallel",
          selector: { matchLabels: selector(identity) },
          persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
          template: {
            metadata: { labels: labels(identity) },
            spec: podSpec(pod, { spread: args.spread, selector: selector(identity) }),
          },
          volumeClaimTemplates: [
            {
              metadata: { name: "data", labels: selector(identity) },
              spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: args.storage } } },
            },
          ],
        },
      },
      { ...this.own, dependsOn, customTimeouts: { create: timeout, update: timeout, delete: "3m" } },
    );
  }

  /** Empties pods before they are taken away, or fills those that have come. Ends the update where it cannot. */
  private createResize(
    direction: "shrink" | "grow",
    { namespace, masters, replicas }: RedisClusterArgs,
    pod: PodArgs,
    identity: Identity,
    dependsOn: pulumi.Resource[],
  ): k8s.batch.v1.Job {
    return new k8s.batch.v1.Job(
      this.child(direction),
      {
        metadata: { name: this.child(direction), namespace, labels: labels(identity) },
        spec: {
          backoffLimit: 3,
          activeDeadlineSeconds: 1800,
          template: {
            metadata: { labels: labels(identity) },
            spec: resizePodSpec(pod, [direction, String(masters), String(replicas)]),
          },
        },
      },
      { ...this.own, dependsOn, customTimeouts: { create: "32m", update: "32m", delete: "3m" } },
    );
  }
}
