import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PlatformComponent } from "./lib/component";
import { Identity, labels } from "./lib/labels";
import { containerSecurity, podSecurity } from "./lib/security";

export interface RegistryCleaningArgs {
  readonly environment: string;
  readonly namespace: pulumi.Input<string>;
  /** The registry's own image, by digest. */
  readonly image: pulumi.Input<string>;
  /** An image with a shell, by digest. */
  readonly shellImage: pulumi.Input<string>;
  /** When, as cron says it, in UTC. @default "17 3 * * *" */
  readonly schedule?: string;
  /** The claim with the images, and where the registry has it. */
  readonly volume: pulumi.Input<string>;
  readonly directory: string;
  /** While this file is there, the registry takes no pushes. */
  readonly closed: string;
  /** The ConfigMap with the registry's configuration, and the file in it. */
  readonly config: pulumi.Input<string>;
  readonly configFile: string;
  /** The registry's pods, whose node has the volume. */
  readonly beside: Readonly<Record<string, string>>;
}

/** A push that was under way when the registry closed has ended by then, or is refused its manifest. */
const LAST_PUSH_SECONDS = 10;

/**
 * Frees, once a day, what no tag names any more. The collector would also delete what a push has brought whose manifest is
 * still to come, so it runs only while the registry takes no pushes: a sidecar closes it before, and opens it after, also
 * when the collector fails. Pulling goes on.
 */
export class RegistryCleaning extends PlatformComponent {
  constructor(name: string, args: RegistryCleaningArgs, opts: pulumi.ComponentResourceOptions) {
    super("RegistryCleaning", name, opts);
    const identity: Identity = { environment: args.environment, component: "registry-cleaning", name };
    new k8s.batch.v1.CronJob(
      this.child("job"),
      {
        metadata: { name, namespace: args.namespace, labels: labels(identity) },
        spec: {
          schedule: args.schedule ?? "17 3 * * *",
          concurrencyPolicy: "Forbid",
          startingDeadlineSeconds: 3600,
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 1,
          jobTemplate: {
            spec: {
              backoffLimit: 2,
              activeDeadlineSeconds: 3600,
              template: { metadata: { labels: labels(identity) }, spec: this.pod(args) },
            },
          },
        },
      },
      this.own,
    );
    this.registerOutputs({});
  }

  private pod(args: RegistryCleaningArgs): k8s.types.input.core.v1.PodSpec {
    const images = { name: "images", mountPath: args.directory };
    const resources = { requests: { cpu: "25m", memory: "32Mi" }, limits: { cpu: "1", memory: "256Mi" } };
    const guard = `trap 'rm -f ${args.closed}; exit 0' TERM INT; touch ${args.closed}; while :; do sleep 3600 & wait $!; done`;
    return {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 30,
      securityContext: podSecurity(),
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: args.beside } },
          ],
        },
      },
      initContainers: [
        {
          name: "closed",
          image: args.shellImage,
          // Makes it a sidecar: it runs beside the collector, and is stopped when that has ended, well or not.
          restartPolicy: "Always",
          command: ["sh", "-c", guard],
          startupProbe: {
            exec: { command: ["test", "-e", args.closed] },
            initialDelaySeconds: LAST_PUSH_SECONDS,
            periodSeconds: 1,
          },
          resources,
          securityContext: containerSecurity(),
          volumeMounts: [images],
        },
      ],
      containers: [
        {
          name: "collector",
          image: args.image,
          command: ["registry", "garbage-collect", "--delete-untagged", `/etc/registry/${args.configFile}`],
          env: [{ name: "OTEL_TRACES_EXPORTER", value: "none" }],
          resources,
          securityContext: containerSecurity(),
          volumeMounts: [images, { name: "config", mountPath: "/etc/registry", readOnly: true }],
        },
      ],
      volumes: [
        { name: "images", persistentVolumeClaim: { claimName: args.volume } },
        { name: "config", configMap: { name: args.config } },
      ],
    };
  }
}
