import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PlatformComponent } from "./lib/component";
import { allowDns, defaultDeny } from "./lib/network";
import { ENVIRONMENT_LABEL } from "./lib/labels";

export interface Quota {
  /** CPU cores of all requests in a namespace, such as "8". */
  readonly cpu: string;
  /** Memory of all requests in a namespace, such as "8Gi". */
  readonly memory: string;
  readonly pods: number;
}

export interface EnvironmentArgs {
  /** The environment's name, which starts the name of each of its namespaces. */
  readonly environment: string;
  /** One namespace per concern. @example ["registry", "data", "apps"] */
  readonly concerns: readonly string[];
  /** What each namespace may take of the cluster. */
  readonly quota: Quota;
  /** The Pod Security profile; `privileged` only where pods look at the machine they run on. @default "restricted" */
  readonly podSecurity?: "restricted" | "privileged";
  /** What an update has to do in a namespace before anything else can be done there. @default nothing */
  readonly enter?: (namespace: string) => Promise<void>;
  /** Policies that must stand before anything else is put into a namespace. @default none */
  readonly admission?: readonly { readonly name: pulumi.Output<string> }[];
}

/**
 * The namespaces of one environment, closed by default: Pod Security `restricted`, no traffic in or out but DNS, a quota
 * and default limits. Costs nothing but the objects.
 *
 *     const environment = new Environment("dev", { environment: "dev", concerns: ["data", "apps"], quota }, opts);
 *     environment.namespace("data");
 */
export class Environment extends PlatformComponent {
  /** Resolves to each namespace's name once it is ready to take workloads. */
  readonly names: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: EnvironmentArgs, opts: pulumi.ComponentResourceOptions) {
    super("Environment", name, opts);
    this.names = Object.fromEntries(args.concerns.map((concern) => [concern, this.createNamespace(concern, args)]));
    this.registerOutputs({ names: this.names });
  }

  namespace(concern: string): pulumi.Output<string> {
    const found = this.names[concern];
    if (!found)
      throw new Error(`environment has no namespace for "${concern}": it has ${Object.keys(this.names).join(", ")}`);
    return found;
  }

  private createNamespace(
    concern: string,
    { environment, quota, podSecurity = "restricted", enter, admission = [] }: EnvironmentArgs,
  ): pulumi.Output<string> {
    const modes = ["enforce", "audit", "warn"];
    const created = new k8s.core.v1.Namespace(
      this.child(concern),
      {
        metadata: {
          name: `${environment}-${concern}`,
          labels: {
            "app.kubernetes.io/part-of": "platform",
            [ENVIRONMENT_LABEL]: environment,
            ...Object.fromEntries(modes.map((mode) => [`pod-security.kubernetes.io/${mode}`, podSecurity])),
          },
        },
      },
      this.own,
    );
    const namespace = created.metadata.name.apply(async (name) => {
      if (!pulumi.runtime.isDryRun()) await enter?.(name);
      return name;
    });
    const inside = { parent: created };
    const guards = [
      defaultDeny(this.child(`${concern}-default-deny`), namespace, inside),
      allowDns(this.child(`${concern}-dns`), namespace, inside),
      this.createQuota(concern, namespace, quota, inside),
      this.createLimits(concern, namespace, inside),
    ];
    // Whoever uses the name waits for the guards, and their names, unlike their ids, are known in a preview.
    const known = [...guards.map((guard) => guard.metadata.name), ...admission.map(({ name }) => name)];
    return pulumi.all(known).apply(() => namespace);
  }

  private createQuota(
    concern: string,
    namespace: pulumi.Output<string>,
    quota: Quota,
    opts: pulumi.CustomResourceOptions,
  ): k8s.core.v1.ResourceQuota {
    return new k8s.core.v1.ResourceQuota(
      this.child(`${concern}-quota`),
      {
        metadata: { name: "quota", namespace, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          hard: {
            "requests.cpu": quota.cpu,
            "requests.memory": quota.memory,
            pods: String(quota.pods),
            "services.nodeports": "0",
          },
        },
      },
      opts,
    );
  }

  private createLimits(
    concern: string,
    namespace: pulumi.Output<string>,
    opts: pulumi.CustomResourceOptions,
  ): k8s.core.v1.LimitRange {
    return new k8s.core.v1.LimitRange(
      this.child(`${concern}-limits`),
      {
        metadata: { name: "limits", namespace },
        spec: {
          limits: [
            {
              type: "Container",
              default: { cpu: "500m", memory: "256Mi" },
              defaultRequest: { cpu: "50m", memory: "64Mi" },
              min: { memory: "8Mi" },
            },
          ],
        },
      },
      opts,
    );
  }
}
