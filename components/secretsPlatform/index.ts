import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import { controllerPeer } from "../clusterServices/controller";
import { WAIT_FOR_READY, certificate } from "../lib/certificates";
import { PlatformComponent } from "../lib/component";
import { oneAtATime } from "../lib/disruption";
import { type Identity, labels, selector } from "../lib/labels";
import { type Peer, type Place, fromOutsidePods, link, toApiServer } from "../lib/network";
import { controllerDuration, secondsOf } from "../lib/quantities";
import { SKIP_AWAIT, WORKLOAD_TIMEOUT } from "../lib/security";
import { createServers, createServices } from "./server";
import {
  AUDIENCE,
  DEPLOYER,
  KEEPER_RULES,
  KV,
  LOGIN,
  RAFT_PORT,
  type Seal,
  VAULT_PORT,
  certificateNames,
  readerPolicy,
  serviceHost,
} from "./settings";

export const VAULT_IMAGES = { vault: "vault", node: "node" } as const;

export interface SecretsPlatformArgs {
  readonly environment: string;
  readonly namespace: pulumi.Output<string>;
  /** By digest, from the image lock. */
  readonly images: Readonly<Record<keyof typeof VAULT_IMAGES, pulumi.Input<string>>>;
  /** 1, or 3 for a service that survives the loss of a node. */
  readonly replicas: number;
  /** Size of each server's volume. @default "1Gi" */
  readonly storage: string;
  readonly spread: "soft" | "hard";
  readonly seal: Seal;
  /** How long a synced secret may lag behind Vault. @default "1m" */
  readonly refresh: string;
  /** Under which Pulumi reaches Vault from where it runs. @example "https://vault.dev.example.com:8200" */
  readonly url: string;
  /** The load balancer's address, where one is promised. */
  readonly address?: string;
  /** The platform's authority, PEM. */
  readonly authority: pulumi.Input<string>;
  readonly podCidrs: readonly string[];
  readonly apiServers: readonly Place[];
  /** What has to be there before a certificate is issued and a secret synced. */
  readonly services: pulumi.Input<pulumi.Resource>[];
}

/** A set of values in Vault. */
export interface Kept {
  readonly path: string;
  readonly properties: readonly string[];
  /** What puts them there; nothing where somebody else does. */
  readonly resource?: pulumi.Resource;
}

export interface SyncArgs {
  readonly namespace: pulumi.Input<string>;
  /** Of the Secret that pods use. */
  readonly secretName: string;
  /** Whose properties have names of their own. */
  readonly from: Kept | readonly Kept[];
  /** The Secret's keys, each a template over the kept values; without it, the values under their own names. */
  readonly template?: Readonly<Record<string, pulumi.Input<string>>>;
  /** @default "Opaque" */
  readonly type?: string;
}

/**
 * Vault, which initialises, unseals and heals itself, and External Secrets' way to it: values are kept in Vault and come to
 * a namespace as a Secret that follows them, read by an identity that may read nothing else.
 *
 *     const secrets = new SecretsPlatform("vault", { environment: "dev", namespace, replicas: 1, … }, opts);
 *     const kept = secrets.keep("redis", { password: random.result });
 *     const secretName = secrets.sync("redis", { namespace: "dev-data", secretName: "redis", from: kept });
 */
export class SecretsPlatform extends PlatformComponent {
  readonly peer: Peer;
  private readonly provider: vault.Provider;
  private readonly servers: k8s.apps.v1.StatefulSet;
  private readonly store: vault.Mount;

  constructor(
    name: string,
    private readonly args: SecretsPlatformArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("SecretsPlatform", name, opts);
    const identity: Identity = { environment: args.environment, component: "secrets", name: "vault" };
    this.peer = { name, namespace: args.namespace, selector: selector(identity) };
    this.openPaths();
    const tls = this.createCertificate();
    const login = this.createDeployer(identity);
    const services = createServices(
      (role) => this.child(role),
      { ...args, annotations: { "platform/vault": args.url } },
      identity,
      this.own,
    );
    this.servers = createServers(
      (role) => this.child(role),
      { ...args, tls, account: this.createAccount(identity) },
      identity,
      { ...this.own, dependsOn: services },
    );
    if (args.replicas > 1) this.createDisruptionBudget(identity);
    this.provider = this.createProvider([login]);
    this.store = new vault.Mount(
      this.child("store"),
      { path: KV, type: "kv", options: { version: "2" }, description: "What the platform and its applications keep" },
      this.inside(),
    );
    this.registerOutputs({ url: args.url });
  }

  /**
   * Puts values into Vault, once: from then on they are Vault's own, and a value that was changed there stays changed.
   * `path` is below the environment's key-value store.
   */
  keep(path: string, values: Readonly<Record<string, pulumi.Input<string>>>): Kept {
    const role = path.replaceAll("/", "-");
    const resource = new vault.kv.SecretV2(
      this.child(role),
      {
        mount: this.store.path,
        name: path,
        dataJson: pulumi.secret(pulumi.jsonStringify(values)),
        // Reading back would bring values that were changed in Vault into the state, and the next update back to ours.
        disableRead: true,
        deleteAllVersions: true,
      },
      { ...this.inside(), ignoreChanges: ["dataJson"], additionalSecretOutputs: ["dataJson", "data"] },
    );
    return { path, properties: Object.keys(values), resource };
  }

  /** Within which a value that was changed in Vault has come to everybody: a kubelet may take a minute and a half for its part. */
  get spreadSeconds(): number {
    return secondsOf(this.args.refresh) + 120;
  }

  /** Brings kept values into a namespace. Resolves to the Secret's name once it is there. */
  sync(name: string, { namespace, secretName, from, template, type }: SyncArgs): pulumi.Output<string> {
    const account = `secrets-${name}`;
    const kept = [from].flat();
    const values = kept.flatMap(({ path, properties }) => properties.map((property) => ({ path, property })));
    const reader = this.createReader(name, account, namespace, kept);
    const store = this.createStore(name, account, namespace, reader);
    const synced = new k8s.apiextensions.CustomResource(
      this.child(`${name}-sync`),
      {
        apiVersion: "external-secrets.io/v1",
        kind: "ExternalSecret",
        metadata: { name: secretName, namespace, annotations: WAIT_FOR_READY },
        spec: {
          refreshInterval: controllerDuration(this.args.refresh),
          secretStoreRef: { kind: "SecretStore", name: store.metadata.name },
          target: {
            name: secretName,
            creationPolicy: "Owner",
            deletionPolicy: "Retain",
            template: {
              type: type ?? "Opaque",
              engineVersion: "v2",
              data: template ?? Object.fromEntries(values.map(({ property }) => [property, `{{ .${property} }}`])),
            },
          },
          data: values.map(({ path, property }) => ({ secretKey: property, remoteRef: { key: path, property } })),
        },
      },
      {
        ...this.own,
        ...WORKLOAD_TIMEOUT,
        dependsOn: [...kept.flatMap(({ resource }) => resource ?? []), ...this.args.services],
      },
    );
    return synced.metadata.apply(() => secretName);
  }

  private openPaths(): void {
    const { environment, podCidrs, apiServers } = this.args;
    const reader = { ...controllerPeer("external-secrets"), name: this.child("external-secrets") };
    link(this.peer, this.peer, [VAULT_PORT, RAFT_PORT], this.own);
    link(reader, { ...this.peer, name: environment }, VAULT_PORT, this.own);
    fromOutsidePods(this.peer, VAULT_PORT, podCidrs, this.own);
    toApiServer(this.peer, apiServers, this.own);
  }

  private createCertificate(): pulumi.Output<string> {
    const { namespace, url, address } = this.args;
    const host = new URL(url).hostname;
    const isAddress = /^[\d.]+$/.test(host);
    return certificate(
      this.child("tls"),
      {
        name: "vault-tls",
        namespace,
        dnsNames: namespace.apply((text) => [...certificateNames(text), ...(isAddress ? [] : [host])]),
        ipAddresses: [...new Set(["127.0.0.1", ...(isAddress ? [host] : []), ...(address ? [address] : [])])],
      },
      { ...this.own, dependsOn: this.args.services },
    );
  }

  /** As which the servers ask the API server whether a token is genuine, and the keeper keeps the seal's key. */
  private createAccount(identity: Identity): pulumi.Output<string> {
    const { namespace, environment } = this.args;
    const metadata = { name: "vault", namespace, labels: labels(identity) };
    const subjects = [{ kind: "ServiceAccount", name: "vault", namespace }];
    const account = new k8s.core.v1.ServiceAccount(
      this.child("account"),
      { metadata, automountServiceAccountToken: false },
      this.own,
    );
    const reviewer = new k8s.rbac.v1.ClusterRoleBinding(
      this.child("reviewer"),
      {
        metadata: { name: `${environment}-vault-token-review`, labels: labels(identity) },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:auth-delegator" },
        subjects,
      },
      this.own,
    );
    const role = new k8s.rbac.v1.Role(
      this.child("keeper-role"),
      {
        metadata: { ...metadata, name: "vault-keeper" },
        rules: KEEPER_RULES,
      },
      this.own,
    );
    const binding = new k8s.rbac.v1.RoleBinding(
      this.child("keeper-binding"),
      {
        metadata: { ...metadata, name: "vault-keeper" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
        subjects,
      },
      this.own,
    );
    return pulumi
      .all([account.metadata.name, reviewer.metadata.name, binding.metadata.name])
      .apply(([accountName]) => accountName);
  }

  private createDisruptionBudget(identity: Identity): void {
    new k8s.policy.v1.PodDisruptionBudget(this.child("budget"), oneAtATime(identity, this.args.namespace), this.own);
  }

  /** Whoever may make a token of this account may own what is in Vault: the deployer's login, minted per run. */
  private createDeployer(identity: Identity): pulumi.Resource {
    return new k8s.core.v1.ServiceAccount(
      this.child("deployer"),
      {
        metadata: { name: DEPLOYER, namespace: this.args.namespace, labels: labels(identity) },
        automountServiceAccountToken: false,
      },
      this.own,
    );
  }

  /**
   * No token is among its inputs, which the state keeps: it asks the token helper of the shell it runs in, or takes
   * VAULT_TOKEN. The address is known once the servers are ready, so that a first preview asks nothing of them.
   */
  private createProvider(dependsOn: pulumi.Resource[]): vault.Provider {
    return new vault.Provider(
      this.child("login"),
      {
        address: this.servers.id.apply(() => this.args.url),
        addAddressToEnv: "true",
        skipChildToken: true,
        maxRetries: 1,
      },
      { parent: this, dependsOn },
    );
  }

  /** For everything in Vault: gone with the servers, whether they can still be asked or not. */
  private inside(): pulumi.CustomResourceOptions {
    return { parent: this, provider: this.provider, deletedWith: this.servers };
  }

  private createReader(
    name: string,
    account: string,
    namespace: pulumi.Input<string>,
    kept: readonly Kept[],
  ): vault.kubernetes.AuthBackendRole {
    const policy = new vault.Policy(
      this.child(`${name}-policy`),
      { name: account, policy: readerPolicy(kept.map(({ path }) => path)) },
      this.inside(),
    );
    return new vault.kubernetes.AuthBackendRole(
      this.child(`${name}-role`),
      {
        backend: LOGIN,
        roleName: account,
        boundServiceAccountNames: [account],
        boundServiceAccountNamespaces: [namespace],
        audience: AUDIENCE,
        tokenPolicies: [policy.name],
        tokenTtl: 600,
        tokenMaxTtl: 600,
      },
      this.inside(),
    );
  }

  private createStore(
    name: string,
    account: string,
    namespace: pulumi.Input<string>,
    reader: vault.kubernetes.AuthBackendRole,
  ): k8s.apiextensions.CustomResource {
    const identity: Identity = { environment: this.args.environment, component: "secrets", name: account };
    const reads = new k8s.core.v1.ServiceAccount(
      this.child(`${name}-account`),
      { metadata: { name: account, namespace, labels: labels(identity) }, automountServiceAccountToken: false },
      this.own,
    );
    return new k8s.apiextensions.CustomResource(
      this.child(`${name}-store`),
      {
        apiVersion: "external-secrets.io/v1",
        kind: "SecretStore",
        metadata: { name: account, namespace, annotations: SKIP_AWAIT },
        spec: {
          provider: {
            vault: {
              server: this.args.namespace.apply((text) => `https://${serviceHost(text)}:${VAULT_PORT}`),
              path: KV,
              version: "v2",
              caBundle: pulumi.output(this.args.authority).apply((pem) => Buffer.from(pem).toString("base64")),
              auth: {
                kubernetes: {
                  mountPath: LOGIN,
                  role: account,
                  serviceAccountRef: { name: reads.metadata.name, audiences: [AUDIENCE] },
                },
              },
            },
          },
        },
      },
      { ...this.own, dependsOn: [reader] },
    );
  }
}
