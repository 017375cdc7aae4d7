import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { PlatformComponent } from "./lib/component";
import { Identity, labels, selector } from "./lib/labels";
import { Peer, fromOutsidePods } from "./lib/network";
import { SKIP_AWAIT, WORKLOAD_TIMEOUT, containerSecurity, podSecurity } from "./lib/security";

export interface RegistryArgs {
  readonly environment: string;
  readonly namespace: pulumi.Input<string>;
  /** By digest, from the image lock. */
  readonly image: pulumi.Input<string>;
  /** Size of the volume that holds the images. @default "5Gi" */
  readonly storage: string;
  /** The host name under which nodes pull, which `certificate` is for. */
  readonly host: string;
  /** The load balancer address under which images are pushed; any free one where it is not given. */
  readonly address?: string;
  /** Certificate and key for `host` (and `address`), PEM, from an authority that the nodes trust. */
  readonly certificate: pulumi.Input<string>;
  readonly key: pulumi.Input<string>;
  readonly podCidrs: readonly string[];
}

const PORT = 5000;
const USER = "platform";
const CONFIG = `version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: /var/lib/registry }
  delete: { enabled: true }
http:
  addr: :${PORT}
  tls: { certificate: /etc/registry-tls/tls.crt, key: /etc/registry-tls/tls.key, minimumtls: tls1.2 }
auth:
  htpasswd: { realm: platform, path: /etc/registry-users/htpasswd }
`;

/**
 * The environment's image registry: TLS, login required, images on a volume of its own. One pod.
 *
 *     const registry = new Registry("registry", { environment: "dev", namespace, image, host, certificate, key, … }, opts);
 *     registry.pullSecret("apps-regcred", "dev-apps");
 */
export class Registry extends PlatformComponent {
  readonly host: string;
  readonly username = USER;
  readonly password: pulumi.Output<string>;
  /** Resolves once the registry answers. */
  readonly ready: pulumi.Resource;
  readonly peer: Peer;

  constructor(name: string, args: RegistryArgs, opts: pulumi.ComponentResourceOptions) {
    super("Registry", name, opts);
    const identity: Identity = { environment: args.environment, component: "registry", name };
    const login = new random.RandomPassword(this.child("password"), { length: 40, special: false }, this.own);
    this.host = args.host;
    this.password = login.result;
    this.peer = { name, namespace: args.namespace, selector: selector(identity) };
    this.createService(args, identity);
    fromOutsidePods(this.peer, PORT, args.podCidrs, this.own);
    this.ready = this.createServer(args, identity, {
      config: this.createConfig(args),
      tls: this.createSecret(args, "tls", { "tls.crt": args.certificate, "tls.key": args.key }),
      users: this.createSecret(args, "users", { htpasswd: pulumi.interpolate`${USER}:${login.bcryptHash}\n` }),
      volume: this.createVolume(args, identity),
    });
    this.registerOutputs({ host: this.host });
  }

  /** Makes the secret with which the pods of a namespace pull from this registry. */
  pullSecret(namespace: pulumi.Input<string>, role: string): pulumi.Output<string> {
    const config = pulumi.all([this.password]).apply(([password]) => {
      const auth = Buffer.from(`${USER}:${password}`).toString("base64");
      return JSON.stringify({ auths: { [this.host]: { username: USER, password, auth } } });
    });
    const secret = new k8s.core.v1.Secret(
      this.child(`${role}-regcred`),
      {
        metadata: { name: "regcred", namespace },
        type: "kubernetes.io/dockerconfigjson",
        stringData: { ".dockerconfigjson": config },
      },
      this.own,
    );
    return secret.metadata.name;
  }

  private createConfig(args: RegistryArgs): k8s.core.v1.ConfigMap {
    return new k8s.core.v1.ConfigMap(
      this.child("config"),
      { metadata: { namespace: args.namespace }, data: { "config.yml": CONFIG } },
      this.own,
    );
  }

  private createSecret(
    args: RegistryArgs,
    role: string,
    stringData: Record<string, pulumi.Input<string>>,
  ): k8s.core.v1.Secret {
    return new k8s.core.v1.Secret(this.child(role), { metadata: { namespace: args.namespace }, stringData }, this.own);
  }

  private createVolume(args: RegistryArgs, identity: Identity): k8s.core.v1.PersistentVolumeClaim {
    return new k8s.core.v1.PersistentVolumeClaim(
      this.child("images"),
      {
        // The claim is bound when its first pod is placed: waiting for it before would wait for ever.
        metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity), annotations: SKIP_AWAIT },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: args.storage } } },
      },
      this.own,
    );
  }

  private createService(args: RegistryArgs, identity: Identity): k8s.core.v1.Service {
    return new k8s.core.v1.Service(
      this.child("service"),
      {
        metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity), annotations: SKIP_AWAIT },
        spec: {
          type: "LoadBalancer",
          allocateLoadBalancerNodePorts: false,
          ...(args.address ? { loadBalancerIP: args.address } : {}),
          selector: selector(identity),
          ports: [{ name: "https", port: 443, targetPort: "https" }],
        },
      },
      this.own,
    );
  }

  private createServer(
    args: RegistryArgs,
    identity: Identity,
    parts: {
      config: k8s.core.v1.ConfigMap;
      tls: k8s.core.v1.Secret;
      users: k8s.core.v1.Secret;
      volume: k8s.core.v1.PersistentVolumeClaim;
    },
  ): k8s.apps.v1.Deployment {
    const probe = { httpGet: { path: "/", port: "https", scheme: "HTTPS" } };
    return new k8s.apps.v1.Deployment(
      this.child("server"),
      {
        metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity) },
        spec: {
          replicas: 1,
          // The volume takes one writer.
          strategy: { type: "Recreate" },
          selector: { matchLabels: selector(identity) },
          template: {
            metadata: { labels: labels(identity) },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurity(),
              containers: [
                {
                  name: "registry",
                  image: args.image,
                  command: ["registry", "serve", "/etc/registry/config.yml"],
                  env: [{ name: "OTEL_TRACES_EXPORTER", value: "none" }],
                  ports: [{ name: "https", containerPort: PORT }],
                  resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { cpu: "1", memory: "256Mi" } },
                  readinessProbe: { ...probe, periodSeconds: 2 },
                  livenessProbe: { ...probe, periodSeconds: 10, failureThreshold: 3 },
                  securityContext: containerSecurity(),
                  volumeMounts: [
                    { name: "images", mountPath: "/var/lib/registry" },
                    { name: "config", mountPath: "/etc/registry", readOnly: true },
                    { name: "tls", mountPath: "/etc/registry-tls", readOnly: true },
                    { name: "users", mountPath: "/etc/registry-users", readOnly: true },
                  ],
                },
              ],
              volumes: [
                { name: "images", persistentVolumeClaim: { claimName: parts.volume.metadata.name } },
                { name: "config", configMap: { name: parts.config.metadata.name } },
                { name: "tls", secret: { secretName: parts.tls.metadata.name } },
                { name: "users", secret: { secretName: parts.users.metadata.name } },
              ],
            },
          },
        },
      },
      { ...this.own, ...WORKLOAD_TIMEOUT },
    );
  }
}
