import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { certificate } from "../lib/certificates";
import { PlatformComponent } from "../lib/component";
import { type Identity, labels, selector } from "../lib/labels";
import { oneAtATime } from "../lib/disruption";
import { type Peer, type Place, link, toApiServer } from "../lib/network";
import { SKIP_AWAIT } from "../lib/security";
import { nodesService, serverDnsNames } from "../lib/serverNames";
import type { PostgresMetrics } from "../monitoring/subjects/postgres";
import type { SecretsPlatform } from "../secretsPlatform";
import { filesOf } from "./files";
import { type Logins, keptLogins } from "./logins";
import { PATRONI_PORT, PRIMARY, ROLE_LABEL } from "./patroni";
import { type PodArgs, podSpec } from "./pod";
import { createRights } from "./rights";
import { type AppDatabase, type PostgresService, databaseOf, environmentOf } from "./service";
import { EXPORTER_PORT, PORT, type PostgresMode, type ServerSize, roleOf } from "./settings";

export interface PostgresArgs extends ServerSize {
  readonly environment: string;
  readonly namespace: pulumi.Output<string>;
  /** By digest, from the image lock. */
  readonly image: pulumi.Input<string>;
  /** Adds an exporter of metrics to each pod. */
  readonly exporterImage?: pulumi.Input<string>;
  readonly mode: PostgresMode;
  /** Copies of the server that takes the writes. */
  readonly replicas: number;
  /** `hard`: as evenly over the nodes as can be, or not at all; `soft`: rather so. */
  readonly spread: "soft" | "hard";
  /** What each application has here. @example { web: { database: "web", connections: 10 } } */
  readonly databases: Readonly<Record<string, AppDatabase>>;
  /** Keeps the passwords. */
  readonly secrets: SecretsPlatform;
  /** The platform's authority, PEM, which signs the servers' certificate. */
  readonly authority: pulumi.Input<string>;
  /** What has to be there before a certificate is issued. */
  readonly services: pulumi.Input<pulumi.Resource>[];
  /** Which servers with copies ask who takes the writes. */
  readonly apiServers: readonly Place[];
}

/**
 * Postgres, over TLS only, with a role and a database for each application, which owns that database and nothing else. A
 * password that is changed in Vault is followed without a restart. The superuser comes from inside the pod only.
 *
 * - `single`: one server. A restart of its pod is an outage of seconds.
 * - `replicated`: one that takes the writes, and copies, of which one has every write that is confirmed and takes over.
 *
 *     const postgres = new Postgres("postgres", { mode: "single", databases: { web: { database: "web", connections: 10 } }, … }, opts);
 *     new AppWorkload("web", { postgres, … }, opts);
 */
export class Postgres extends PlatformComponent implements PostgresService {
  readonly peer: Peer;
  readonly authority: pulumi.Input<string>;
  /** Where the exporters tell its metrics; there are some where `exporterImage` is given. */
  readonly metrics: PostgresMetrics;
  readonly ready: readonly pulumi.Resource[];
  private readonly logins: Logins;

  constructor(
    name: string,
    private readonly args: PostgresArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("Postgres", name, opts);
    const identity: Identity = { environment: args.environment, component: "postgres", name };
    this.peer = { name, namespace: args.namespace, selector: selector(identity) };
    this.authority = args.authority;
    this.metrics = { peer: this.peer, port: EXPORTER_PORT, replicas: args.replicas };
    this.logins = keptLogins({ ...args, name }, args.secrets, this.own);
    const services = this.createServices(identity);
    const account = args.mode === "single" ? undefined : this.joinServers(identity);
    const server = this.createServers(identity, services, {
      ...args,
      name,
      selector: selector(identity),
      holdSeconds: args.secrets.spreadSeconds,
      files: this.createFiles(identity).metadata.name,
      logins: this.logins.secretName,
      certificate: this.createCertificate(),
      account,
    });
    this.ready = [server];
    this.registerOutputs({ host: this.host, mode: args.mode });
  }

  connect(from: Peer, opts: pulumi.CustomResourceOptions): void {
    link(from, this.peer, PORT, opts);
  }

  clientSecret(client: string, namespace: pulumi.Input<string>): pulumi.Output<string> {
    const { database } = databaseOf(this.args.databases, client);
    const role = roleOf(client);
    const login = { host: this.host, port: PORT, database, user: role, password: `{{ .${role} }}` };
    const name = `${client}-${this.ownName}`;
    return this.args.secrets.sync(name, {
      namespace,
      secretName: name,
      from: this.logins.applications[client] ?? [],
      template: environmentOf({ ...login, ownAuthority: true }),
    });
  }

  private get host(): pulumi.Output<string> {
    return pulumi.interpolate`${this.ownName}.${this.args.namespace}.svc.cluster.local`;
  }

  private get count(): number {
    return 1 + this.args.replicas;
  }

  /** What servers need to be one: the ways to each other, and to the API server, where they agree on who takes the writes. */
  private joinServers(identity: Identity): pulumi.Output<string> {
    const { namespace, apiServers } = this.args;
    link(this.peer, this.peer, [PORT, PATRONI_PORT], this.own);
    toApiServer(this.peer, apiServers, this.own);
    new k8s.policy.v1.PodDisruptionBudget(this.child("budget"), oneAtATime(identity, namespace), this.own);
    return createRights((role) => this.child(role), { namespace, count: this.count }, identity, this.own);
  }

  private createFiles(identity: Identity): k8s.core.v1.ConfigMap {
    const { namespace, mode, memory, storage, connections } = this.args;
    const size = { memory, storage, connections };
    const data = namespace.apply((text) =>
      filesOf(mode, { ...size, name: this.ownName, namespace: text, labels: selector(identity) }),
    );
    return new k8s.core.v1.ConfigMap(this.child("files"), { metadata: { namespace }, data }, this.own);
  }

  private createCertificate(): pulumi.Output<string> {
    const { namespace, services } = this.args;
    return certificate(
      this.child("tls"),
      {
        name: this.child("tls"),
        namespace,
        dnsNames: namespace.apply((text) => serverDnsNames(this.ownName, text)),
      },
      { ...this.own, dependsOn: services },
    );
  }

  /** One Service that leads clients to where writes are taken, and one that gives each pod a name. */
  private createServices(identity: Identity): k8s.core.v1.Service[] {
    const ports = [{ name: "postgres", port: PORT, targetPort: "postgres" }];
    const metadata = { namespace: this.args.namespace, labels: labels(identity), annotations: SKIP_AWAIT };
    const spec = { selector: selector(identity), ports };
    const primary: Record<string, string> = this.args.mode === "single" ? {} : { [ROLE_LABEL]: PRIMARY };
    return [
      new k8s.core.v1.Service(
        this.child("service"),
        {
          metadata: { ...metadata, name: this.ownName },
          spec: { ...spec, selector: { ...spec.selector, ...primary } },
        },
        this.own,
      ),
      new k8s.core.v1.Service(
        this.child("nodes"),
        {
          metadata: { ...metadata, name: nodesService(this.ownName) },
          spec: { ...spec, clusterIP: "None", publishNotReadyAddresses: true },
        },
        this.own,
      ),
    ];
  }

  private createServers(identity: Identity, dependsOn: pulumi.Resource[], pod: PodArgs): k8s.apps.v1.StatefulSet {
    // Pods are replaced one after the other, each once the one before serves.
    const timeout = `${3 + 2 * this.count}m`;
    return new k8s.apps.v1.StatefulSet(
      this.child("server"),
      {
        metadata: { name: identity.name, namespace: this.args.namespace, labels: labels(identity) },
        spec: {
          serviceName: nodesService(this.ownName),
          replicas: this.count,
          podManagementPolicy: "Parallel",
          selector: { matchLabels: selector(identity) },
          persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
          template: { metadata: { labels: labels(identity) }, spec: podSpec(pod) },
          volumeClaimTemplates: [
            {
              metadata: { name: "data", labels: selector(identity) },
              spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: this.args.storage } } },
            },
          ],
        },
      },
      { ...this.own, dependsOn, customTimeouts: { create: timeout, update: timeout, delete: "3m" } },
    );
  }
}
