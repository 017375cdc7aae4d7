import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Edge } from "../edge";
import { matchesOf, routeTo } from "../edge/route";
import { type AppResources, type Autoscale, generatedPathOf, secretKey, vaultPathOf } from "../lib/appSettings";
import { type AddressOf, NO_ADDRESS, balancerAddress } from "../lib/balancer";
import { PlatformComponent } from "../lib/component";
import { Identity, selector } from "../lib/labels";
import { Peer, fromOutsidePods, link, reach } from "../lib/network";
import { WORKLOAD_TIMEOUT } from "../lib/security";
import type { Spread } from "../lib/spread";
import { type Colour, type Strategy, coloursOf } from "../lib/strategyConfig";
import type { ObjectStore } from "../objectStore";
import { mountOf } from "../objectStore/service";
import { AUTHORITY, type PostgresService } from "../postgres/service";
import type { RedisCluster } from "../redisCluster";
import type { Kept, SecretsPlatform } from "../secretsPlatform";
import { check } from "./check";
import { DATA, type DeploymentOf, type Mount, deploymentOf, jobOf, nameOf } from "./deployment";
import { loginsOf } from "./logins";
import { autoscalerOf, backendsOf, budgetOf, metadataOf, roleOf, serviceOf } from "./objects";
import { type Switcher, createSwitch, switchPeer } from "./switch";

export interface AppWorkloadArgs {
  readonly environment: string;
  /** What it is in the environment, of which it has a namespace. @default "app" */
  readonly component?: string;
  readonly namespace: pulumi.Input<string>;
  /** By digest, from a registry the nodes can pull from. */
  readonly image: pulumi.Input<string>;
  /** The pull secret for the image's registry. */
  readonly pullSecret?: pulumi.Input<string>;
  /** The port the application listens on. */
  readonly port: number;
  /** How many, where no autoscaler decides. */
  readonly replicas?: number;
  /** In place of `replicas`. @example { min: 2, max: 6, cpu: 60 } */
  readonly autoscale?: Autoscale;
  /** `hard`: never two replicas on one node; `soft`: rather not. */
  readonly spread: Spread;
  /** @default requests of 50m and 96Mi, limits of 1 core and 256Mi */
  readonly resources?: AppResources;
  /** Plain settings of the application. Credentials come from what it connects to, or from `secrets`. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Whether it has the passwords of Redis and Postgres as files too, which change with Vault: REDIS_PASSWORD_FILE and
   * PGPASSWORD_FILE name them. Some images refuse to be told a password in two ways. @default true
   */
  readonly passwordFiles?: boolean;
  /** Settings kept in Vault at the application's own path, by variable. @example { API_KEY: "apps/web#api_key" } */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Variables whose values the platform makes at random, once: 43 letters and digits each. @example ["SESSION_KEY"] */
  readonly generate?: readonly string[];
  /** Brings `secrets` and what is generated. */
  readonly vault?: SecretsPlatform;
  /** The Redis it uses: opens the paths to it and passes REDIS_HOST, _PORT, _USERNAME, _PASSWORD, _MODE and what the mode needs. */
  readonly redis?: RedisCluster;
  /** The Postgres it uses, in which it has a database: opens the path to it and passes PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE and PGSSLROOTCERT. */
  readonly postgres?: PostgresService;
  /**
   * The object store in which it has a bucket: opens the path to it, loads the bucket where the bucket has something to load,
   * and passes AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_CA_BUNDLE, S3_BUCKET and
   * S3_CERTIFICATES.
   */
  readonly store?: ObjectStore;
  /** A command of the image that puts something into the bucket before the application starts, with a key of its own. */
  readonly load?: readonly string[];
  /** What else it connects to. */
  readonly links?: readonly { readonly peer: Peer; readonly port: number }[];
  /** What it connects to in other environments, which let it in by themselves. */
  readonly reaches?: readonly { readonly peer: Peer; readonly port: number }[];
  /** Size of a volume of its own at /data. It takes one writer: one replica, and a moment without it at each rollout. @default no volume */
  readonly storage?: string;
  /** Under which browsers find it: a label below the domain of `edge`. @example "visit-tracker" */
  readonly host?: string;
  /** What of the host it has; it sees the path whole. Health is asked elsewhere and stays inside. @default all of it @example "/api" */
  readonly path?: string;
  readonly edge?: Edge;
  /** Whether it tells metrics at /metrics of its port. @default false */
  readonly metrics?: boolean;
  /** Reachable from outside the cluster through a load balancer of its own. @default false */
  readonly expose?: boolean;
  /** How a new version takes over, where not by a rollout in place. @example { type: "canary", … } */
  readonly strategy?: Strategy;
  /** What a strategy takes of the environment. */
  readonly switcher?: Switcher;
  readonly addressOf: AddressOf;
  readonly podCidrs: readonly string[];
  /** The last word on each child, for what has no field here. @example { service: (args) => ({ ...args, … }) } */
  readonly transforms?: Transforms;
}

type Transform<T> = (args: T) => T;

export interface Transforms {
  readonly deployment?: Transform<k8s.apps.v1.DeploymentArgs>;
  readonly service?: Transform<k8s.core.v1.ServiceArgs>;
  readonly budget?: Transform<k8s.policy.v1.PodDisruptionBudgetArgs>;
  readonly autoscaler?: Transform<k8s.autoscaling.v2.HorizontalPodAutoscalerArgs>;
  readonly route?: Transform<k8s.apiextensions.CustomResourceArgs>;
}

/** What both versions of an application share. */
interface Running {
  readonly args: DeploymentOf;
  readonly dependsOn: readonly pulumi.Resource[];
}

/** Of itself, without a strategy. */
const versionsOf = (args: AppWorkloadArgs): readonly [Colour | undefined, ...Colour[]] => {
  const [first, ...others] = coloursOf(args);
  return [first, ...others];
};

const transformed = <T>(args: T, transform?: Transform<T>): T => (transform ? transform(args) : args);

/**
 * An application: a Deployment that is closed, limited, probed and spread without being told to, and a Service; with `host`
 * also a way to it from the environment's edge. Expects `GET /healthz` (the process lives) and `GET /readyz` (it can serve).
 *
 *     new AppWorkload("web", { environment: "dev", namespace, image, port: 3000, replicas: 1, spread: "soft", redis, … }, opts);
 */
export class AppWorkload extends PlatformComponent {
  readonly peer: Peer;
  /** Where it says whether it can serve, to those who are let in. */
  readonly readiness: { readonly peer: Peer; readonly port: number; readonly url: pulumi.Output<string> };
  /** Where it tells its metrics, if it does. */
  readonly metrics?: { readonly peer: Peer; readonly port: number };
  /** Who switches between its versions, where there are two. */
  switching?: Peer;
  /** Where the application answers: from outside when exposed, else from inside the cluster. */
  readonly endpoint: pulumi.Output<string>;
  /** Known once its pods are ready, and have the requests. */
  readonly ready: pulumi.Output<unknown>;

  constructor(
    name: string,
    private readonly args: AppWorkloadArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("AppWorkload", name, opts);
    check(name, args);
    const identity: Identity = { environment: args.environment, component: args.component ?? "app", name };
    this.peer = { name, namespace: args.namespace, selector: selector(identity) };
    const url = pulumi.interpolate`http://${name}.${args.namespace}.svc.cluster.local/readyz`;
    this.readiness = { peer: this.peer, port: args.port, url };
    if (args.metrics) this.metrics = { peer: this.peer, port: args.port };
    this.openPaths();
    const running = this.partsOf(identity);
    const [first, ...others] = versionsOf(args);
    const deployment = this.createDeployment(identity, running, first);
    const deployments = [deployment, ...others.map((colour) => this.createDeployment(identity, running, colour))];
    const service = this.createService(identity);
    const route = args.edge && args.host && this.createRoute(args.edge, args.host, identity, service);
    const standing = [...deployments, service, ...(route ? [route] : [])];
    const serving = this.createSwitch(identity, running, standing) ?? deployment;
    this.ready = serving.id;
    this.endpoint = this.endpointOf(service, serving);
    this.registerOutputs({ endpoint: this.endpoint });
  }

  private openPaths(): void {
    const { redis, postgres, store, links = [], expose, edge, host, port, podCidrs, reaches = [] } = this.args;
    for (const to of [...(redis?.entries ?? []), ...links]) link(this.peer, to.peer, to.port, this.own);
    for (const to of reaches) reach(this.peer, to.peer, to.port, this.own);
    postgres?.connect(this.peer, this.own);
    store?.connect(this.peer, this.own);
    if (expose) fromOutsidePods(this.peer, port, podCidrs, this.own);
    if (edge && host) link({ ...edge.peer, name: this.child("edge") }, this.peer, port, this.own);
  }

  /** What every version of it is made of, and what it starts after. */
  private partsOf(identity: Identity): Running {
    const { redis, postgres, store, namespace, autoscale, replicas } = this.args;
    const credentials = {
      redis: redis?.clientSecret(this.ownName, namespace),
      postgres: postgres?.clientSecret(this.ownName, namespace),
      store: store?.clientSecret(this.ownName, namespace),
    };
    const logins = loginsOf(credentials, this.args.passwordFiles ?? true);
    const own = [this.createTrusted(), this.createClient(), this.createVolume(identity)].flatMap((each) => each ?? []);
    const parts = {
      replicas: autoscale ? undefined : replicas,
      env: { ...this.args.env, ...logins.env },
      envFrom: [...Object.values(credentials), this.syncSecrets()].flatMap((name) => name ?? []),
      mounts: [...own, ...logins.mounts],
    };
    const loader = this.createLoader(
      identity,
      own.filter(({ writable }) => !writable),
    );
    const dependsOn = [redis?.ready, postgres?.ready, store?.ready, loader].flatMap((each) => each ?? []);
    return { args: { ...this.args, ...parts }, dependsOn };
  }

  private createDeployment(identity: Identity, { args, dependsOn }: Running, colour?: Colour): k8s.apps.v1.Deployment {
    const { autoscale, replicas, transforms } = this.args;
    const own = transformed(deploymentOf({ ...args, colour }, identity), transforms?.deployment);
    const theirs = [...(autoscale || colour ? ["spec.replicas"] : []), ...(colour ? ["spec.template"] : [])];
    const made = new k8s.apps.v1.Deployment(this.child(colour ?? "server"), own, {
      ...this.own,
      ...WORKLOAD_TIMEOUT,
      ...(theirs.length > 0 ? { ignoreChanges: theirs } : {}),
      dependsOn: [...dependsOn],
    });
    if (autoscale) this.createAutoscaler(autoscale, identity, made, colour);
    if ((autoscale?.max ?? replicas ?? 1) > 1) {
      const budget = transformed(budgetOf(this.args, identity, colour), transforms?.budget);
      new k8s.policy.v1.PodDisruptionBudget(this.child(roleOf("budget", colour)), budget, this.own);
    }
    return made;
  }

  /** Of an application with a strategy: what brings a new version to its requests. */
  private createSwitch(
    identity: Identity,
    { args, dependsOn }: Running,
    standing: readonly pulumi.Resource[],
  ): k8s.batch.v1.Job | undefined {
    const { strategy, switcher, autoscale, replicas, environment, namespace, edge, host, path, port } = this.args;
    if (!strategy || !switcher) return undefined;
    const colours = coloursOf(this.args);
    const services = colours.map((colour) => this.createService(identity, colour));
    const own = transformed(deploymentOf(args, identity), this.args.transforms?.deployment);
    this.switching = switchPeer(this.ownName, environment, namespace);
    return createSwitch(
      (role) => this.child(role),
      environment,
      {
        app: this.ownName,
        namespace,
        selector: selector(identity),
        template: pulumi.output(own.spec).apply((spec) => spec?.template ?? {}),
        strategy,
        port,
        replicas: autoscale?.min ?? replicas ?? 1,
        autoscaled: autoscale !== undefined,
        ...(edge && host ? { rule: matchesOf(path), host: edge.hostOf(host) } : {}),
        switcher,
        peer: this.peer,
        colours: colours.map((colour) => nameOf(this.ownName, colour)),
      },
      { ...this.own, dependsOn: [...dependsOn, ...standing, ...services] },
    );
  }

  /** Whom it trusts to be its Postgres. */
  private createTrusted(): Mount | undefined {
    const { postgres, namespace } = this.args;
    if (!postgres?.authority) return undefined;
    const { directory, file } = AUTHORITY;
    const made = new k8s.core.v1.ConfigMap(
      this.child("trusted"),
      { metadata: { namespace }, data: { [file]: postgres.authority } },
      this.own,
    );
    return { name: "trusted", directory, volume: { configMap: { name: made.metadata.name } } };
  }

  /** As which it comes to its object store, and whom it trusts to be that. */
  private createClient(): Mount | undefined {
    const { store, namespace } = this.args;
    return store && mountOf(store, this.ownName, namespace, this.own);
  }

  /** Fills the bucket with a key that the application itself has not. */
  private createLoader(identity: Identity, mounts: readonly Mount[]): k8s.batch.v1.Job | undefined {
    const { store, load, namespace } = this.args;
    if (!store || !load) return undefined;
    const name = this.child("loader");
    const loader = { ...identity, component: "loader" };
    store.connect({ name, namespace, selector: selector(loader) }, this.own);
    const envFrom = [store.clientSecret(this.ownName, namespace, "loader")];
    return new k8s.batch.v1.Job(name, jobOf({ ...this.args, envFrom, mounts }, load, name, loader), {
      ...this.own,
      ...WORKLOAD_TIMEOUT,
      dependsOn: [store.ready],
    });
  }

  private createVolume(identity: Identity): Mount | undefined {
    const { storage } = this.args;
    if (!storage) return undefined;
    // The claim is bound when its first pod is placed: waiting for it before would wait for ever.
    const metadata = metadataOf(this.args, identity);
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } };
    const claim = new k8s.core.v1.PersistentVolumeClaim(this.child("data"), { metadata, spec }, this.own);
    const volume = { persistentVolumeClaim: { claimName: claim.metadata.name } };
    return { name: "data", directory: DATA, writable: true, volume };
  }

  /** Nobody but this application's reader may ask for its path, and that reader for nothing else. */
  private syncSecrets(): pulumi.Output<string> | undefined {
    const { vault, secrets = {}, generate = [], namespace } = this.args;
    const keys = Object.entries(secrets).map(([variable, text]) => [variable, secretKey(this.ownName, text)] as const);
    if (!vault || keys.length + generate.length === 0) return undefined;
    const properties = [...new Set(keys.flatMap(([, key]) => key ?? []))];
    const given = properties.length > 0 ? [{ path: vaultPathOf(this.ownName), properties }] : [];
    const name = this.child("env");
    const made = generate.map((variable) => [variable, variable] as const);
    return vault.sync(name, {
      namespace,
      secretName: name,
      from: [...given, ...generate.map((variable) => this.generated(variable, vault))],
      template: Object.fromEntries([...keys, ...made].map(([variable, key]) => [variable, `{{ .${key} }}`])),
    });
  }

  private generated(variable: string, vault: SecretsPlatform): Kept {
    const { result } = new random.RandomPassword(
      this.child(`generated-${variable}`),
      { length: 43, special: false },
      this.own,
    );
    return vault.keep(generatedPathOf(this.ownName, variable), { [variable]: result });
  }

  private createAutoscaler(
    autoscale: Autoscale,
    identity: Identity,
    { metadata }: k8s.apps.v1.Deployment,
    colour?: Colour,
  ): void {
    const { transforms } = this.args;
    const own = transformed(
      autoscalerOf(this.args, autoscale, metadata.name, identity, colour),
      transforms?.autoscaler,
    );
    new k8s.autoscaling.v2.HorizontalPodAutoscaler(this.child(roleOf("autoscaler", colour)), own, this.own);
  }

  private createService(identity: Identity, colour?: Colour): k8s.core.v1.Service {
    const { strategy, transforms } = this.args;
    const own = transformed(serviceOf(this.args, identity, colour), transforms?.service);
    const theirs = strategy && !colour ? { ignoreChanges: ["spec.selector"] } : {};
    return new k8s.core.v1.Service(this.child(roleOf("service", colour)), own, { ...this.own, ...theirs });
  }

  private createRoute(
    edge: Edge,
    host: string,
    identity: Identity,
    service: k8s.core.v1.Service,
  ): k8s.apiextensions.CustomResource {
    const { path, strategy, transforms } = this.args;
    const backends = backendsOf(this.args, this.ownName, service.metadata.name);
    const own = routeTo(edge, host, metadataOf(this.args, identity), backends, path);
    return new k8s.apiextensions.CustomResource(this.child("route"), transformed(own, transforms?.route), {
      ...this.own,
      ...(strategy ? { ignoreChanges: ["spec.rules"] } : {}),
    });
  }

  private endpointOf(service: k8s.core.v1.Service, serving: pulumi.CustomResource): pulumi.Output<string> {
    const { expose, namespace, addressOf } = this.args;
    if (!expose) return pulumi.interpolate`http://${service.metadata.name}.${namespace}.svc.cluster.local`;
    return balancerAddress(service, serving, addressOf).apply((host) => (host ? `http://${host}` : NO_ADDRESS));
  }
}
