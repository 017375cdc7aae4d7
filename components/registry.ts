import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { PlatformComponent } from "./lib/component";
import { DEPLOYERS_GROUP } from "./lib/deployer";
import { Identity, labels, selector } from "./lib/labels";
import { Peer, fromOutsidePods } from "./lib/network";
import { PULL_SECRET } from "./lib/registryAccess";
import { PULL_PORT, PUSH_PORT } from "./lib/registryPorts";
import { SKIP_AWAIT, WORKLOAD_TIMEOUT, containerSecurity, podSecurity } from "./lib/security";
import { whenReady, whileAlive } from "./lib/probes";
import { RegistryCleaning } from "./registryCleaning";
import type { Kept, SecretsPlatform } from "./secretsPlatform";

export interface RegistryArgs {
  readonly environment: string;
  readonly namespace: pulumi.Input<string>;
  /** By digest, from the image lock. */
  readonly image: pulumi.Input<string>;
  /** An image with a shell, by digest, from the image lock. */
  readonly shellImage: pulumi.Input<string>;
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
  /** Keeps the logins. */
  readonly secrets: SecretsPlatform;
}

export interface RegistryLogin {
  readonly username: string;
  readonly password: pulumi.Output<string>;
}

/** A server for each identity: htpasswd knows users, not rights, so the right lies in the server that knows the user. */
const ROLES = ["pull", "push"] as const;
type Role = (typeof ROLES)[number];

const PORTS: Record<Role, { listens: number; service: number; metrics: number }> = {
  pull: { listens: 5000, service: PULL_PORT, metrics: 5010 },
  push: { listens: 5001, service: PUSH_PORT, metrics: 5011 },
};

const DIRECTORY = "/var/lib/registry";
const CLOSED = `${DIRECTORY}/closed-for-cleaning`;

const configOf = (role: Role): string => `version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: ${DIRECTORY} }
${
  role === "pull"
    ? "  maintenance: { readonly: { enabled: true }, uploadpurging: { enabled: false } }"
    : `  delete: { enabled: true }
health:
  file: [{ file: ${CLOSED}, interval: 1s }]`
}
http:
  addr: :${PORTS[role].listens}
  debug: { addr: ":${PORTS[role].metrics}", prometheus: { enabled: true, path: /metrics } }
  tls: { certificate: /etc/registry-tls/tls.crt, key: /etc/registry-tls/tls.key, minimumtls: tls1.2 }
auth:
  htpasswd: { realm: platform, path: /etc/registry-users/${role} }
`;

/**
 * The environment's image registry: TLS, login required, images on a volume of its own. One pod with two servers over that
 * volume: the one that nodes and the next stage pull from cannot write, whatever the login; the other takes pushes.
 *
 *     const registry = new Registry("registry", { environment: "dev", namespace, image, host, certificate, key, … }, opts);
 *     registry.pullSecret("dev-apps", "apps");
 */
export class Registry extends PlatformComponent {
  readonly host: string;
  readonly push: RegistryLogin;
  /** Where each server tells its metrics. */
  readonly metrics: { readonly peer: Peer; readonly port: readonly number[] };
  /** Resolves once the registry answers. */
  readonly ready: pulumi.CustomResource;
  readonly peer: Peer;
  private readonly pull: Kept;

  constructor(
    name: string,
    private readonly args: RegistryArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("Registry", name, opts);
    const identity: Identity = { environment: args.environment, component: "registry", name };
    const logins = { pull: this.createLogin("pull"), push: this.createLogin("push") };
    this.host = args.host;
    this.pull = this.keep("pull", logins.pull);
    this.push = { username: "push", password: logins.push.result };
    this.peer = { name, namespace: args.namespace, selector: selector(identity) };
    this.metrics = { peer: this.peer, port: ROLES.map((role) => PORTS[role].metrics) };
    this.createService(args, identity);
    for (const role of ROLES)
      fromOutsidePods({ ...this.peer, name: this.child(role) }, PORTS[role].listens, args.podCidrs, this.own);
    const users = this.syncUsers([this.pull, this.keep("push", logins.push)]);
    const config = this.createConfig(args);
    const volume = this.createVolume(args, identity);
    this.ready = this.createServer(args, identity, {
      config,
      tls: this.createCertificate(args),
      users,
      volume,
    });
    new RegistryCleaning(
      this.child("cleaning"),
      {
        environment: args.environment,
        namespace: args.namespace,
        image: args.image,
        shellImage: args.shellImage,
        volume: volume.metadata.name,
        directory: DIRECTORY,
        closed: CLOSED,
        config: config.metadata.name,
        configFile: "push.yml",
        beside: selector(identity),
      },
      this.own,
    );
    this.registerOutputs({ host: this.host });
  }

  /** Brings the secret with which the pods of a namespace, or the next stage, pull from this registry. */
  pullSecret(namespace: pulumi.Input<string>, role: string): pulumi.Output<string> {
    const login = `"username":"pull","password":"{{ .pullPassword }}","auth":"{{ printf "pull:%s" .pullPassword | b64enc }}"`;
    return this.args.secrets.sync(`${this.ownName}-${role}`, {
      namespace,
      secretName: PULL_SECRET,
      from: { ...this.pull, properties: ["pullPassword"] },
      type: "kubernetes.io/dockerconfigjson",
      template: { ".dockerconfigjson": `{"auths":{"${this.host}":{${login}}}}` },
    });
  }

  /** Keeps the pulling login where the next stage finds it; where environments have deployers, theirs may read it. */
  forNextStage(deployers: boolean): void {
    const secretName = this.pullSecret(this.args.namespace, "stage");
    if (!deployers) return;
    const metadata = { name: "next-stage", namespace: this.args.namespace };
    const apiGroup = "rbac.authorization.k8s.io";
    const role = new k8s.rbac.v1.Role(
      this.child("stage-role"),
      {
        metadata,
        rules: [{ apiGroups: [""], resources: ["secrets"], resourceNames: [secretName], verbs: ["get"] }],
      },
      this.own,
    );
    new k8s.rbac.v1.RoleBinding(
      this.child("stage-binding"),
      {
        metadata,
        roleRef: { apiGroup, kind: "Role", name: role.metadata.name },
        subjects: [{ apiGroup, kind: "Group", name: DEPLOYERS_GROUP }],
      },
      this.own,
    );
  }

  /** A login's password, and what the servers compare it with. */
  private keep(role: Role, login: random.RandomPassword): Kept {
    const values = { [`${role}Password`]: login.result, [`${role}Hash`]: login.bcryptHash };
    return this.args.secrets.keep(`${this.ownName}/${role}`, values);
  }

  private syncUsers(logins: readonly Kept[]): pulumi.Output<string> {
    return this.args.secrets.sync(this.child("users"), {
      namespace: this.args.namespace,
      secretName: this.child("users"),
      from: logins,
      template: Object.fromEntries(ROLES.map((role) => [role, `${role}:{{ .${role}Hash }}\n`])),
    });
  }

  private createLogin(role: Role): random.RandomPassword {
    return new random.RandomPassword(this.child(`${role}-password`), { length: 40, special: false }, this.own);
  }

  private createConfig(args: RegistryArgs): k8s.core.v1.ConfigMap {
    return new k8s.core.v1.ConfigMap(
      this.child("config"),
      {
        metadata: { namespace: args.namespace },
        data: Object.fromEntries(ROLES.map((role) => [`${role}.yml`, configOf(role)])),
      },
      this.own,
    );
  }

  private createCertificate({ namespace, certificate, key }: RegistryArgs): k8s.core.v1.Secret {
    return new k8s.core.v1.Secret(
      this.child("tls"),
      { metadata: { namespace }, stringData: { "tls.crt": certificate, "tls.key": key } },
      this.own,
    );
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
          ports: ROLES.map((role) => ({ name: role, port: PORTS[role].service, targetPort: role })),
        },
      },
      this.own,
    );
  }

  private createServer(args: RegistryArgs, identity: Identity, parts: ServerParts): k8s.apps.v1.Deployment {
    return new k8s.apps.v1.Deployment(
      this.child("server"),
      {
        metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity) },
        spec: {
          replicas: 1,
          // The volume takes one writer. A disruption budget for one pod would only keep nodes from being drained: images
          // that run are on their nodes already.
          strategy: { type: "Recreate" },
          selector: { matchLabels: selector(identity) },
          template: {
            metadata: { labels: labels(identity) },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurity(),
              containers: ROLES.map((role) => container(role, args.image)),
              volumes: [
                { name: "images", persistentVolumeClaim: { claimName: parts.volume.metadata.name } },
                { name: "config", configMap: { name: parts.config.metadata.name } },
                { name: "tls", secret: { secretName: parts.tls.metadata.name } },
                { name: "users", secret: { secretName: parts.users } },
              ],
            },
          },
        },
      },
      { ...this.own, ...WORKLOAD_TIMEOUT },
    );
  }
}

interface ServerParts {
  readonly config: k8s.core.v1.ConfigMap;
  readonly tls: k8s.core.v1.Secret;
  readonly users: pulumi.Input<string>;
  readonly volume: k8s.core.v1.PersistentVolumeClaim;
}

function container(role: Role, image: pulumi.Input<string>): k8s.types.input.core.v1.Container {
  // Closed for cleaning, the server for pushes answers 503, and the pod must go on serving pulls: there the port decides.
  const probe =
    role === "pull" ? { httpGet: { path: "/", port: role, scheme: "HTTPS" } } : { tcpSocket: { port: role } };
  return {
    name: role,
    image,
    command: ["registry", "serve", `/etc/registry/${role}.yml`],
    env: [{ name: "OTEL_TRACES_EXPORTER", value: "none" }],
    ports: [
      { name: role, containerPort: PORTS[role].listens },
      { name: `${role}-metrics`, containerPort: PORTS[role].metrics },
    ],
    resources: { requests: { cpu: "25m", memory: "48Mi" }, limits: { cpu: "1", memory: "256Mi" } },
    readinessProbe: whenReady(probe),
    livenessProbe: whileAlive(probe),
    securityContext: containerSecurity(),
    volumeMounts: [
      { name: "images", mountPath: DIRECTORY, readOnly: role === "pull" },
      { name: "config", mountPath: "/etc/registry", readOnly: true },
      { name: "tls", mountPath: "/etc/registry-tls", readOnly: true },
      { name: "users", mountPath: "/etc/registry-users", readOnly: true },
    ],
  };
}
