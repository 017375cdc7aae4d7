import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { certificate } from "../lib/certificates";
import { PlatformComponent } from "../lib/component";
import { type Identity, labels, selector } from "../lib/labels";
import { type Peer, link } from "../lib/network";
import { SKIP_AWAIT, WORKLOAD_TIMEOUT } from "../lib/security";
import type { PostgresMetrics } from "../monitoring/subjects/postgres";
import type { SecretsPlatform } from "../secretsPlatform";
import { filesOf } from "./files";
import { type Logins, keptLogins } from "./logins";
import { type PodArgs, podSpec } from "./pod";
import { type AppDatabase, type PostgresService, databaseOf, environmentOf } from "./service";
import { EXPORTER_PORT, PORT, type PostgresMode, type ServerSize, dnsNames, nodesService, roleOf } from "./settings";

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
}

/**
 * Postgres, over TLS only, with a role and a database for each application, which owns that database and nothing else. A
 * password that is changed in Vault is followed without a restart. The superuser comes from inside the pod only.
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
    const server = this.createServers(identity, services, {
      ...args,
      selector: selector(identity),
      files: this.createFiles().metadata.name,
      logins: this.logins.secretName,
      certificate: this.createCertificate(),
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

  private createFiles(): k8s.core.v1.ConfigMap {
    const { namespace, mode } = this.args;
    return new k8s.core.v1.ConfigMap(
      this.child("files"),
      { metadata: { namespace }, data: filesOf(mode, this.args) },
      this.own,
    );
  }

  private createCertificate(): pulumi.Output<string> {
    const { namespace, services } = this.args;
    return certificate(
      this.child("tls"),
      {
        name: this.child("tls"),
        namespace,
        dnsNames: namespace.apply((text) => dnsNames(this.ownName, text)),
      },
      { ...this.own, dependsOn: services },
    );
  }

  /** One Service for clients, and one that gives each pod a name. */
  private createServices(identity: Identity): k8s.core.v1.Service[] {
    const ports = [{ name: "postgres", port: PORT, targetPort: "postgres" }];
    const metadata = { namespace: this.args.namespace, labels: labels(identity), annotations: SKIP_AWAIT };
    const spec = { selector: selector(identity), ports };
    return [
      new k8s.core.v1.Service(this.child("service"), { metadata: { ...metadata, name: this.ownName }, spec }, this.own),
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
    return new k8s.apps.v1.StatefulSet(
      this.child("server"),
      {
        metadata: { name: identity.name, namespace: this.args.namespace, labels: labels(identity) },
        spec: {
          serviceName: nodesService(this.ownName),
          replicas: 1,
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
      { ...this.own, ...WORKLOAD_TIMEOUT, dependsOn },
    );
  }
}
