import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as docker from "@pulumi/docker";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Access, type AccessArgs } from "../../../components/access";
import { AppImage } from "../../../components/appImage";
import { AppWorkload, type AppWorkloadArgs } from "../../../components/appWorkload";
import { Edge, type EdgeArgs } from "../../../components/edge";
import { Environment, type EnvironmentArgs } from "../../../components/environment";
import { Grafana, type GrafanaArgs } from "../../../components/monitoring/grafana";
import { ObjectStore, type ObjectStoreArgs } from "../../../components/objectStore";
import type { AppBucket } from "../../../components/objectStore/settings";
import { Postgres, type PostgresArgs } from "../../../components/postgres";
import { ExternalPostgres, type ExternalPostgresArgs } from "../../../components/postgres/external";
import { RedisCluster, type RedisClusterArgs } from "../../../components/redisCluster";
import { ClusterServices, type ClusterServicesArgs } from "../../../components/clusterServices";
import { Monitoring, type MonitoringArgs } from "../../../components/monitoring";
import { Registry, type RegistryArgs } from "../../../components/registry";
import { SecretsPlatform, type SecretsPlatformArgs } from "../../../components/secretsPlatform";
import type { Recording, Registered } from "./recorder";

/** What `record` runs: sound components, of which a test changes what it is about. */
export class Scene {
  readonly provider = new k8s.Provider("cluster", { kubeconfig: "{}" });
  readonly opts = { provider: this.provider };
  readonly podCidrs = ["10.1.0.0/24", "10.1.1.0/24"];

  environment(name = "dev", change: Partial<EnvironmentArgs> = {}): Environment {
    const quota = { cpu: "8", memory: "8Gi", pods: 40 };
    const concerns = ["registry", "data", "apps"];
    return new Environment(name, { environment: name, concerns, quota, ...change }, this.opts);
  }

  redis(name = "redis", change: Partial<RedisClusterArgs> = {}): RedisCluster {
    const image = "registry.example/redis:8@sha256:1";
    const args: RedisClusterArgs = {
      environment: "dev",
      namespace: "dev-data",
      image,
      ...("secrets" in change ? {} : { secrets: this.vault }),
      mode: "standalone",
      masters: 1,
      replicas: 0,
      storage: "1Gi",
      memory: "128Mi",
      spread: "soft",
    };
    return new RedisCluster(name, { ...args, ...change }, this.opts);
  }

  readonly databases = { web: { database: "web", connections: 10 }, "my-shop": { database: "orders", connections: 5 } };

  postgres(name = "postgres", change: Partial<PostgresArgs> = {}): Postgres {
    const args: PostgresArgs = {
      environment: "dev",
      namespace: pulumi.output("dev-data"),
      image: "images.example/postgres@sha256:1",
      exporterImage: "images.example/postgres-exporter@sha256:2",
      mode: "single",
      replicas: 0,
      storage: "2Gi",
      memory: "512Mi",
      connections: 50,
      spread: "soft",
      databases: this.databases,
      secrets: this.vault,
      authority: "certificate of the authority",
      services: [],
      apiServers: this.apiServers,
    };
    return new Postgres(name, { ...args, ...change }, this.opts);
  }

  externalPostgres(change: Partial<ExternalPostgresArgs> = {}): ExternalPostgres {
    const args = { host: "db.example.com", port: 6432, addresses: ["203.0.113.7/32"], databases: this.databases };
    return new ExternalPostgres("postgres", { ...args, secrets: this.vault, ...change });
  }

  readonly buckets: Readonly<Record<string, AppBucket>> = {
    web: { name: "files", access: "read", load: ["node", "load.js"] },
    "my-shop": { name: "orders", access: "write" },
  };

  objectStore(name = "object-store", change: Partial<ObjectStoreArgs> = {}): ObjectStore {
    const args: ObjectStoreArgs = {
      environment: "dev",
      namespace: pulumi.output("dev-data"),
      images: {
        server: "images.example/minio@sha256:1",
        front: "images.example/traefik@sha256:2",
        keeper: "images.example/node@sha256:3",
      },
      mode: "standalone",
      servers: 1,
      storage: "2Gi",
      memory: "512Mi",
      spread: "soft",
      buckets: this.buckets,
      secrets: this.vault,
      authority: "certificate of the authority",
      services: [],
    };
    return new ObjectStore(name, { ...args, ...change }, this.opts);
  }

  registry(name = "registry", change: Partial<RegistryArgs> = {}): Registry {
    const args: RegistryArgs = {
      environment: "dev",
      namespace: "dev-registry",
      image: "registry.example/registry:3@sha256:2",
      shellImage: "registry.example/busybox:1@sha256:5",
      storage: "5Gi",
      host: "registry.dev-registry.svc.cluster.local",
      certificate: "certificate of the tests",
      key: pulumi.secret("key of the tests"),
      secrets: this.vault,
      podCidrs: this.podCidrs,
    };
    return new Registry(name, { ...args, ...change }, this.opts);
  }

  readonly apiServers = [{ address: "192.0.2.10", port: 6443 }];

  services(name = "cluster", change: Partial<ClusterServicesArgs> = {}): ClusterServices {
    const args: ClusterServicesArgs = {
      environment: "dev",
      images: {
        certManager: "images.example/cert@sha256:5",
        externalSecrets: "images.example/eso@sha256:6",
      },
      monitoring: {
        images: {
          prometheusOperator: "images.example/operator@sha256:9",
          configReloader: "images.example/reloader@sha256:a",
          kubeStateMetrics: "images.example/state@sha256:b",
          nodeExporter: "images.example/node-exporter@sha256:f",
        },
      },
      authority: { certificate: "certificate of the authority", key: pulumi.secret("key of the authority") },
      apiServers: this.apiServers,
    };
    return new ClusterServices(name, { ...args, ...change }, this.opts);
  }

  secrets(name = "vault", change: Partial<SecretsPlatformArgs> = {}): SecretsPlatform {
    const environment = change.environment ?? "dev";
    const args: SecretsPlatformArgs = {
      environment,
      namespace: pulumi.output(`${environment}-secrets`),
      images: { vault: "images.example/vault@sha256:7", node: "images.example/node@sha256:8" },
      replicas: 1,
      storage: "1Gi",
      spread: "soft",
      seal: { type: "cluster" },
      refresh: "1m",
      url: "https://192.0.2.4:8200",
      authority: "certificate of the authority",
      podCidrs: this.podCidrs,
      apiServers: this.apiServers,
      services: [],
    };
    return new SecretsPlatform(name, { ...args, ...change }, this.opts);
  }

  monitoring(name = "monitoring", change: Partial<MonitoringArgs> = {}): Monitoring {
    const environment = change.environment ?? "dev";
    const concerns = ["secrets", "registry", "data", "apps", "monitoring"];
    const args: MonitoringArgs = {
      environment,
      namespace: pulumi.output(`${environment}-monitoring`),
      namespaces: Object.fromEntries(concerns.map((each) => [each, pulumi.output(`${environment}-${each}`)])),
      images: {
        prometheus: "images.example/prometheus@sha256:c",
        alertmanager: "images.example/alertmanager@sha256:d",
        blackbox: "images.example/blackbox@sha256:e",
      },
      retention: "2d",
      storage: "2Gi",
      runbooks: "https://git.example/platform/docs/runbooks/",
      apiServers: this.apiServers,
      services: [],
    };
    return new Monitoring(name, { ...args, ...change }, this.opts);
  }

  grafana(name = "grafana", change: Partial<GrafanaArgs> = {}): Grafana {
    const environment = change.environment ?? "dev";
    const namespace = pulumi.output(`${environment}-dashboards`);
    const args: GrafanaArgs = {
      environment,
      namespace,
      image: "images.example/grafana@sha256:0",
      monitoring: change.monitoring ?? this.monitoring(`${name}-monitoring`, { environment }),
      edge: change.edge ?? this.edge(`${name}-edge`, { environment, dashboards: namespace }),
      secrets: change.secrets ?? this.vault,
    };
    return new Grafana(name, { ...args, ...change }, this.opts);
  }

  private shared?: SecretsPlatform;
  /** The environment's Vault, for components that keep their credentials there. */
  private get vault(): SecretsPlatform {
    return (this.shared ??= this.secrets());
  }

  edge(name = "edge", change: Partial<EdgeArgs> = {}): Edge {
    const args: EdgeArgs = {
      environment: "dev",
      namespace: pulumi.output("dev-edge"),
      routesFrom: pulumi.output("dev-apps"),
      image: "images.example/traefik@sha256:9",
      domain: "dev.example",
      replicas: 1,
      spread: "soft",
      addressOf: () => Promise.resolve("192.0.2.20"),
      podCidrs: this.podCidrs,
      apiServers: this.apiServers,
      services: [],
    };
    return new Edge(name, { ...args, ...change }, this.opts);
  }

  app(name = "web", change: Partial<AppWorkloadArgs> = {}): AppWorkload {
    const args: AppWorkloadArgs = {
      environment: "dev",
      namespace: "dev-apps",
      image: "registry.dev-registry.svc.cluster.local/web:1@sha256:3",
      port: 3000,
      replicas: 1,
      spread: "soft",
      addressOf: () => Promise.resolve("192.0.2.10"),
      podCidrs: this.podCidrs,
    };
    return new AppWorkload(name, { ...args, ...change }, this.opts);
  }

  access(name = "access", change: Partial<AccessArgs> = {}): Access {
    const developers = ["platform:dev-developers"];
    const args = { environment: "dev", namespace: "dev-apps", developers, exec: false };
    return new Access(name, { ...args, ...change }, this.opts);
  }

  image(source: string, name = "web", registry: Registry = this.registry(`${name}-registry`)): AppImage {
    const provider = new docker.Provider(`${name}-builder`, { host: "unix:///nowhere" });
    const baseImages = {
      NODE_IMAGE: "registry.example/node:24@sha256:4",
      OTHER_IMAGE: "registry.example/other@sha256:5",
    };
    return new AppImage(name, { source, registry, pushHost: "192.0.2.1", baseImages }, { provider });
  }
}

/** A folder with a Dockerfile for the tests of one `describe`. */
export function sourceFolder(): () => string {
  let folder: string;
  before(() => {
    folder = join(mkdtempSync(join(tmpdir(), "source-")), "web");
    mkdirSync(folder);
    writeFileSync(join(folder, "Dockerfile"), "ARG NODE_IMAGE\nFROM scratch\n");
  });
  after(() => rmSync(join(folder, ".."), { recursive: true, force: true }));
  return () => folder;
}

/** The last part of a type token: "Deployment". */
export const kindOf = ({ type }: Registered): string => type.slice(type.lastIndexOf(":") + 1);

/** The one resource of a kind, or the one of that name. */
export function one({ resources }: Recording, kind: string, name?: string): Registered {
  const found = resources.filter((each) => !each.read && kindOf(each) === kind && (!name || each.name === name));
  assert.equal(found.length, 1, `${kind} ${name ?? ""}: found ${found.map((each) => each.name).join(", ") || "none"}`);
  return found[0] as Registered;
}

export const names = ({ resources }: Recording, kind: string): string[] =>
  resources.filter((each) => kindOf(each) === kind).map(({ name }) => name);

/** Steps into inputs by a path such as `spec.template.spec.containers.0.image`. */
export function field(resource: Registered, path: string, from: "inputs" | "opened" = "inputs"): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], resource[from]);
}
