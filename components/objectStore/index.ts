import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { certificate, clientCertificate } from "../lib/certificates";
import { PlatformComponent } from "../lib/component";
import { oneAtATime } from "../lib/disruption";
import { type Identity, labels, selector } from "../lib/labels";
import { type Peer, link } from "../lib/network";
import { SKIP_AWAIT } from "../lib/security";
import { nodesService, serverDnsNames } from "../lib/serverNames";
import type { StoreMetrics } from "../monitoring/subjects/objectStore";
import type { SecretsPlatform } from "../secretsPlatform";
import { frontConfig } from "./front";
import { createKeeper } from "./keeping";
import { type Logins, keptLogins, propertyOf } from "./logins";
import { type PodArgs, podSpec } from "./pod";
import { bucketOf, environmentOf } from "./service";
import {
  type AppBucket,
  INSIDE_PORT,
  type ObjectStoreMode,
  PORT,
  SERVER_PORT,
  loaderOf,
  userOf,
  usersOf,
} from "./settings";

export interface ObjectStoreArgs {
  readonly environment: string;
  readonly namespace: pulumi.Output<string>;
  /** By digest, from the image lock: of the server, of what stands before it, and of what makes buckets and users. */
  readonly images: { readonly server: string; readonly front: string; readonly keeper: string };
  readonly mode: ObjectStoreMode;
  /** Each with a drive of its own. */
  readonly servers: number;
  /** Size of each server's volume. */
  readonly storage: string;
  /** Memory limit of each server. */
  readonly memory: string;
  /** `hard`: as evenly over the nodes as can be, or not at all; `soft`: rather so. */
  readonly spread: "soft" | "hard";
  /** What each application has here. @example { web: { name: "web", access: "write" } } */
  readonly buckets: Readonly<Record<string, AppBucket>>;
  /** Keeps the passwords. */
  readonly secrets: SecretsPlatform;
  /** The platform's authority, PEM, which signs the servers' certificate. */
  readonly authority: pulumi.Input<string>;
  /** What has to be there before a certificate is issued. */
  readonly services: pulumi.Input<pulumi.Resource>[];
}

/**
 * A store of objects that speaks S3 (MinIO). Nobody gets in who has no certificate of the authority for clients;
 * with one it still takes a key, and each application's opens its own bucket alone. Buckets, users and what they may do are
 * declared, and made again where they are not as declared.
 *
 * - `standalone`: one server with one drive. A restart of its pod is an outage of seconds.
 * - `distributed`: each object in parts over all servers, which outlives the loss of some. How many there are is settled once.
 *
 *     const store = new ObjectStore("object-store", { mode: "standalone", servers: 1, buckets: { web: { name: "web", access: "write" } }, … }, opts);
 *     new AppWorkload("web", { store, … }, opts);
 */
export class ObjectStore extends PlatformComponent {
  readonly peer: Peer;
  /** PEM of who vouches for the servers. */
  readonly authority: pulumi.Input<string>;
  readonly metrics: StoreMetrics;
  /** Resolves once buckets and users are as declared. */
  readonly ready: pulumi.Resource;
  private readonly logins: Logins;

  constructor(
    name: string,
    private readonly args: ObjectStoreArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("ObjectStore", name, opts);
    const identity = this.identity(name);
    this.peer = { name, namespace: args.namespace, selector: selector(identity) };
    this.authority = args.authority;
    this.metrics = { peer: this.peer, port: INSIDE_PORT, servers: args.servers };
    this.logins = keptLogins({ name, namespace: args.namespace, users: usersOf(args.buckets) }, args.secrets, this.own);
    const client = this.certificateOf(this.child("keeper"), args.namespace, this.own);
    const paths = this.openPaths(identity);
    const services = this.createServices(identity);
    const servers = this.createServers(identity, [...services, ...paths], {
      ...args,
      name,
      image: args.images.server,
      frontImage: args.images.front,
      selector: selector(identity),
      front: this.createFront().metadata.name,
      administrator: this.logins.servers,
      certificate: this.createCertificate(),
      client,
    });
    const keeping = { ...args, image: args.images.keeper, endpoint: this.endpoint, logins: this.logins.keeper, client };
    this.ready = createKeeper((role) => this.child(role), keeping, this.identity(this.child("keeper")), {
      ...this.own,
      dependsOn: [servers, ...paths],
    });
    this.registerOutputs({ endpoint: this.endpoint, mode: args.mode });
  }

  /** Opens the way there for the pods of an application: the port of clients, and nothing else. */
  connect(from: Peer, opts: pulumi.CustomResourceOptions): void {
    link(from, this.peer, PORT, opts);
  }

  /** The Secret with which an application, or what loads its bucket, logs in, as its environment. */
  clientSecret(app: string, namespace: pulumi.Input<string>, as: "app" | "loader" = "app"): pulumi.Output<string> {
    const { buckets, secrets } = this.args;
    const { name: bucket } = bucketOf(buckets, app);
    const user = as === "app" ? userOf(app) : loaderOf(app);
    const name = `${as === "app" ? app : `${app}-loader`}-${this.ownName}`;
    return secrets.sync(name, {
      namespace,
      secretName: name,
      from: this.logins.users[user] ?? [],
      template: environmentOf({ endpoint: this.endpoint, bucket, user, password: `{{ .${propertyOf(user)} }}` }),
    });
  }

  /** The Secret with a client's certificate, of that name. */
  certificateOf(
    name: string,
    namespace: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
  ): pulumi.Output<string> {
    const own = { ...opts, dependsOn: this.args.services };
    return clientCertificate(`${name}-client`, { name: `${name}-client`, namespace }, own);
  }

  private identity = (name: string): Identity => ({
    environment: this.args.environment,
    component: "object-store",
    name,
  });

  private get endpoint(): pulumi.Output<string> {
    return pulumi.interpolate`https://${this.ownName}.${this.args.namespace}.svc.cluster.local:${PORT}`;
  }

  private openPaths(identity: Identity): pulumi.Resource[] {
    const { namespace, mode } = this.args;
    const name = this.child("keeper");
    const keeper = { name, namespace, selector: selector(this.identity(name)) };
    const paths = link(keeper, this.peer, PORT, this.own);
    if (mode === "standalone") return paths;
    new k8s.policy.v1.PodDisruptionBudget(this.child("budget"), oneAtATime(identity, namespace), this.own);
    return [...paths, ...link(this.peer, this.peer, SERVER_PORT, this.own)];
  }

  private createFront(): k8s.core.v1.ConfigMap {
    const data = { "front.yml": JSON.stringify(frontConfig(), null, 2) };
    return new k8s.core.v1.ConfigMap(
      this.child("front"),
      { metadata: { namespace: this.args.namespace }, data },
      this.own,
    );
  }

  private createCertificate(): pulumi.Output<string> {
    const { namespace, services } = this.args;
    const dnsNames = namespace.apply((text) => serverDnsNames(this.ownName, text));
    return certificate(
      this.child("tls"),
      { name: this.child("tls"), namespace, dnsNames },
      { ...this.own, dependsOn: services },
    );
  }

  /** One Service for clients, and one that gives each pod a name by which the others find it before it serves. */
  private createServices(identity: Identity): k8s.core.v1.Service[] {
    const metadata = { namespace: this.args.namespace, labels: labels(identity), annotations: SKIP_AWAIT };
    const spec = { selector: selector(identity) };
    return [
      new k8s.core.v1.Service(
        this.child("service"),
        {
          metadata: { ...metadata, name: this.ownName },
          spec: { ...spec, ports: [{ name: "https", port: PORT, targetPort: "clients" }] },
        },
        this.own,
      ),
      new k8s.core.v1.Service(
        this.child("nodes"),
        {
          metadata: { ...metadata, name: nodesService(this.ownName) },
          spec: {
            ...spec,
            clusterIP: "None",
            publishNotReadyAddresses: true,
            ports: [{ name: "server", port: SERVER_PORT, targetPort: "server" }],
          },
        },
        this.own,
      ),
    ];
  }

  private createServers(identity: Identity, dependsOn: pulumi.Resource[], pod: PodArgs): k8s.apps.v1.StatefulSet {
    const { namespace, servers, storage } = this.args;
    // Pods are replaced one after the other, each once the one before serves.
    const timeout = `${4 + servers}m`;
    return new k8s.apps.v1.StatefulSet(
      this.child("server"),
      {
        metadata: { name: identity.name, namespace, labels: labels(identity) },
        spec: {
          serviceName: nodesService(this.ownName),
          replicas: servers,
          podManagementPolicy: "Parallel",
          selector: { matchLabels: selector(identity) },
          persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
          template: { metadata: { labels: labels(identity) }, spec: podSpec(pod) },
          volumeClaimTemplates: [
            {
              metadata: { name: "data", labels: selector(identity) },
              spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
            },
          ],
        },
      },
      { ...this.own, dependsOn, customTimeouts: { create: timeout, update: timeout, delete: "3m" } },
    );
  }
}
