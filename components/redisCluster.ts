import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { PlatformComponent } from "./lib/component";
import { Identity, labels, selector } from "./lib/labels";
import { Peer } from "./lib/network";
import { bytes } from "./lib/quantities";
import { SKIP_AWAIT, WORKLOAD_TIMEOUT, containerSecurity, podSecurity } from "./lib/security";

export interface RedisClusterArgs {
  readonly environment: string;
  readonly namespace: pulumi.Input<string>;
  /** By digest, from the image lock. */
  readonly image: pulumi.Input<string>;
  /** Size of the volume that holds the append-only file. @default "1Gi" */
  readonly storage: string;
  /** Memory limit of the server; its data may take three fifths of it, the rest is for copies while it saves. */
  readonly memory: string;
}

export interface RedisConnection {
  readonly host: pulumi.Output<string>;
  readonly port: number;
  readonly username: string;
  readonly password: pulumi.Output<string>;
}

const PORT = 6379;
const USER = "app";
/** The user and group of the official image. */
const UID = 999;

/**
 * Redis, one server, with its data in an append-only file on a volume of its own. The default user is off; clients log in
 * as a user without administrative commands. One pod; a restart of the pod keeps every write that was synced.
 *
 *     const redis = new RedisCluster("redis", { environment: "dev", namespace, image, storage: "1Gi", memory: "128Mi" }, opts);
 *     app.connectTo(redis);
 */
export class RedisCluster extends PlatformComponent {
  readonly connection: RedisConnection;
  readonly peer: Peer;
  readonly port = PORT;
  /** Resolves once the server answers. */
  readonly ready: pulumi.Resource;

  constructor(name: string, args: RedisClusterArgs, opts: pulumi.ComponentResourceOptions) {
    super("RedisCluster", name, opts);
    const identity: Identity = { environment: args.environment, component: "redis", name };
    const password = new random.RandomPassword(this.child("password"), { length: 32, special: false }, this.own);
    const service = this.createService(args, identity);
    this.ready = this.createServer(
      args,
      identity,
      service,
      this.createUsers(args, password.result),
      this.createConfig(args),
    );
    this.peer = { name, namespace: args.namespace, selector: selector(identity) };
    this.connection = {
      host: pulumi.interpolate`${name}.${args.namespace}.svc.cluster.local`,
      port: PORT,
      username: USER,
      password: password.result,
    };
    this.registerOutputs({ host: this.connection.host, port: PORT });
  }

  private createUsers(args: RedisClusterArgs, password: pulumi.Output<string>): k8s.core.v1.Secret {
    const users = pulumi.interpolate`user default off
user probe on nopass -@all +ping
user ${USER} on >${password} ~* &* +@all -@admin -@dangerous +info
`;
    return new k8s.core.v1.Secret(
      this.child("users"),
      { metadata: { namespace: args.namespace }, stringData: { "users.acl": users } },
      this.own,
    );
  }

  private createConfig(args: RedisClusterArgs): k8s.core.v1.ConfigMap {
    const lines = [
      `port ${PORT}`,
      "protected-mode no",
      "dir /data",
      "appendonly yes",
      "appendfsync everysec",
      `maxmemory ${Math.floor((bytes(args.memory) ?? 0) * 0.6)}`,
      "maxmemory-policy noeviction",
      "aclfile /etc/redis-users/users.acl",
    ];
    return new k8s.core.v1.ConfigMap(
      this.child("config"),
      { metadata: { namespace: args.namespace }, data: { "redis.conf": `${lines.join("\n")}\n` } },
      this.own,
    );
  }

  private createService(args: RedisClusterArgs, identity: Identity): k8s.core.v1.Service {
    return new k8s.core.v1.Service(
      this.child("service"),
      {
        metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity), annotations: SKIP_AWAIT },
        spec: { selector: selector(identity), ports: [{ name: "redis", port: PORT, targetPort: "redis" }] },
      },
      this.own,
    );
  }

  private createServer(
    args: RedisClusterArgs,
    identity: Identity,
    service: k8s.core.v1.Service,
    users: k8s.core.v1.Secret,
    config: k8s.core.v1.ConfigMap,
  ): k8s.apps.v1.StatefulSet {
    const ping = {
      exec: {
        command: ["redis-cli", "-h", "127.0.0.1", "--user", "probe", "--pass", "none", "--no-auth-warning", "ping"],
      },
    };
    return new k8s.apps.v1.StatefulSet(
      this.child("server"),
      {
        metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity) },
        spec: {
          serviceName: service.metadata.name,
          replicas: 1,
          selector: { matchLabels: selector(identity) },
          persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
          template: {
            metadata: { labels: labels(identity) },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              terminationGracePeriodSeconds: 20,
              securityContext: podSecurity(UID),
              containers: [
                {
                  name: "redis",
                  image: args.image,
                  command: ["redis-server", "/etc/redis/redis.conf"],
                  ports: [{ name: "redis", containerPort: PORT }],
                  resources: {
                    requests: { cpu: "50m", memory: args.memory },
                    limits: { cpu: "1", memory: args.memory },
                  },
                  readinessProbe: { ...ping, periodSeconds: 2, timeoutSeconds: 2 },
                  livenessProbe: { ...ping, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
                  securityContext: containerSecurity(),
                  volumeMounts: [
                    { name: "data", mountPath: "/data" },
                    { name: "config", mountPath: "/etc/redis", readOnly: true },
                    { name: "users", mountPath: "/etc/redis-users", readOnly: true },
                  ],
                },
              ],
              volumes: [
                { name: "config", configMap: { name: config.metadata.name } },
                { name: "users", secret: { secretName: users.metadata.name } },
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
      { ...this.own, ...WORKLOAD_TIMEOUT },
    );
  }
}
