import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PlatformComponent } from "./lib/component";
import { Identity, labels, selector } from "./lib/labels";
import { Peer, fromOutsidePods, link } from "./lib/network";
import { SKIP_AWAIT, WORKLOAD_TIMEOUT, containerSecurity, podSecurity } from "./lib/security";
import type { RedisCluster } from "./redisCluster";

/** A cloud may take minutes, which the next update shows; a cluster without load balancers must not cost an update more. */
const ADDRESS_PATIENCE_MS = 10_000;

export interface AppWorkloadArgs {
  readonly environment: string;
  readonly namespace: pulumi.Input<string>;
  /** By digest, from a registry the nodes can pull from. */
  readonly image: pulumi.Input<string>;
  /** The pull secret for the image's registry. */
  readonly pullSecret?: pulumi.Input<string>;
  /** The port the application listens on. */
  readonly port: number;
  readonly replicas: number;
  /** `hard`: never two replicas on one node; `soft`: rather not. */
  readonly spread: "soft" | "hard";
  /** Plain settings of the application. Credentials come from what it connects to. */
  readonly env?: Readonly<Record<string, pulumi.Input<string>>>;
  /** The Redis it uses: opens the paths to it and passes REDIS_HOST, _PORT, _USERNAME, _PASSWORD, _MODE and what the mode needs. */
  readonly redis?: RedisCluster;
  /** Reachable from outside the cluster through a load balancer. @default false */
  readonly expose?: boolean;
  /** Asks the cluster for the address of a Service that is exposed, for so long. */
  readonly addressOf: (namespace: string, service: string, patienceMs: number) => Promise<string | undefined>;
  readonly podCidrs: readonly string[];
}

/**
 * An application: a Deployment that is closed, limited, probed and spread without being told to, and a Service. Expects
 * `GET /healthz` (the process lives) and `GET /readyz` (it can serve).
 *
 *     new AppWorkload("web", { environment: "dev", namespace, image, port: 3000, replicas: 1, spread: "soft", redis, … }, opts);
 */
export class AppWorkload extends PlatformComponent {
  readonly peer: Peer;
  /** Where it says whether it can serve, to those who are let in. */
  readonly readiness: { readonly peer: Peer; readonly port: number; readonly url: pulumi.Output<string> };
  /** Where the application answers: from outside when exposed, else from inside the cluster. */
  readonly endpoint: pulumi.Output<string>;

  constructor(name: string, args: AppWorkloadArgs, opts: pulumi.ComponentResourceOptions) {
    super("AppWorkload", name, opts);
    const identity: Identity = { environment: args.environment, component: "app", name };
    this.peer = { name, namespace: args.namespace, selector: selector(identity) };
    const url = pulumi.interpolate`http://${name}.${args.namespace}.svc.cluster.local/readyz`;
    this.readiness = { peer: this.peer, port: args.port, url };
    for (const { peer, port } of args.redis?.entries ?? []) link(this.peer, peer, port, this.own);
    if (args.expose) fromOutsidePods(this.peer, args.port, args.podCidrs, this.own);
    const deployment = this.createDeployment(args, identity, args.redis?.clientSecret(name, args.namespace));
    if (args.replicas > 1) this.createDisruptionBudget(args, identity);
    this.endpoint = this.endpointOf(args, this.createService(args, identity), deployment);
    this.registerOutputs({ endpoint: this.endpoint });
  }

  private createDeployment(
    args: AppWorkloadArgs,
    identity: Identity,
    credentials?: pulumi.Output<string>,
  ): k8s.apps.v1.Deployment {
    const probe = (path: string): k8s.types.input.core.v1.Probe => ({
      httpGet: { path, port: "http" },
      timeoutSeconds: 3,
    });
    return new k8s.apps.v1.Deployment(
      this.child("server"),
      {
        metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity) },
        spec: {
          replicas: args.replicas,
          // With as many replicas as nodes and a hard spread there is no room for one more: the spread is therefore
          // counted per revision (matchLabelKeys below), and a rollout never takes a serving pod away first.
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          progressDeadlineSeconds: 120,
          selector: { matchLabels: selector(identity) },
          template: {
            metadata: { labels: labels(identity) },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              imagePullSecrets: args.pullSecret ? [{ name: args.pullSecret }] : [],
              terminationGracePeriodSeconds: 30,
              securityContext: podSecurity(),
              topologySpreadConstraints: [
                {
                  maxSkew: 1,
                  topologyKey: "kubernetes.io/hostname",
                  whenUnsatisfiable: args.spread === "hard" ? "DoNotSchedule" : "ScheduleAnyway",
                  labelSelector: { matchLabels: selector(identity) },
                  matchLabelKeys: ["pod-template-hash"],
                },
              ],
              containers: [
                {
                  name: "app",
                  image: args.image,
                  ports: [{ name: "http", containerPort: args.port }],
                  env: Object.entries(args.env ?? {}).map(([variable, value]) => ({ name: variable, value })),
                  envFrom: credentials ? [{ secretRef: { name: credentials } }] : [],
                  resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { cpu: "1", memory: "256Mi" } },
                  startupProbe: { ...probe("/healthz"), periodSeconds: 1, failureThreshold: 60 },
                  readinessProbe: { ...probe("/readyz"), periodSeconds: 3 },
                  livenessProbe: { ...probe("/healthz"), periodSeconds: 10 },
                  // Traffic still arrives for a moment after the pod is told to stop.
                  lifecycle: { preStop: { sleep: { seconds: 5 } } },
                  securityContext: containerSecurity(),
                  volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
                },
              ],
              volumes: [{ name: "tmp", emptyDir: { sizeLimit: "64Mi" } }],
            },
          },
        },
      },
      { ...this.own, ...WORKLOAD_TIMEOUT, dependsOn: args.redis ? [args.redis.ready] : [] },
    );
  }

  private createDisruptionBudget(args: AppWorkloadArgs, identity: Identity): void {
    new k8s.policy.v1.PodDisruptionBudget(
      this.child("budget"),
      {
        metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity), annotations: SKIP_AWAIT },
        spec: { maxUnavailable: 1, selector: { matchLabels: selector(identity) } },
      },
      this.own,
    );
  }

  private createService(args: AppWorkloadArgs, identity: Identity): k8s.core.v1.Service {
    return new k8s.core.v1.Service(
      this.child("service"),
      {
        metadata: { name: identity.name, namespace: args.namespace, labels: labels(identity), annotations: SKIP_AWAIT },
        spec: {
          ...(args.expose ? { type: "LoadBalancer", allocateLoadBalancerNodePorts: false } : {}),
          selector: selector(identity),
          ports: [{ name: "http", port: 80, targetPort: "http" }],
        },
      },
      this.own,
    );
  }

  private endpointOf(
    args: AppWorkloadArgs,
    service: k8s.core.v1.Service,
    deployment: k8s.apps.v1.Deployment,
  ): pulumi.Output<string> {
    if (!args.expose) return pulumi.interpolate`http://${service.metadata.name}.${args.namespace}.svc.cluster.local`;
    // By the time the application is ready, its address is known. It is asked for and not a resource that is read: a
    // destroy drops such a one from the state before it knows whether it may destroy at all.
    const ready = pulumi.all([service.metadata.namespace, service.metadata.name, service.id, deployment.id]);
    return ready.apply(async ([namespace, name]) => {
      const host = await args.addressOf(namespace, name, pulumi.runtime.isDryRun() ? 0 : ADDRESS_PATIENCE_MS);
      return host
        ? `http://${host}`
        : "no address yet: the cluster gives LoadBalancer Services none, or later (run pulumi up again)";
    });
  }
}
