import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PlatformComponent } from "../lib/component";
import { ENVIRONMENT_LABEL, type Identity, selector } from "../lib/labels";
import { type Peer, type Place, link, toApiServer } from "../lib/network";
import { ALERTMANAGER, type Webhook, createAlertmanager } from "./alertmanager";
import { BLACKBOX_PORT, createBlackbox, probeEndpoint } from "./blackbox";
import { MONITORING_API, grantOperator } from "./operator";
import { PROMETHEUS_PORT, createPrometheus, prometheusUrl } from "./prometheus";
import { type Rule, prometheusRule, targetDown } from "./rule";
import { SHARED, sharedScrapes } from "./shared";
import { certificateRules } from "./subjects/certificates";
import { endpointRules } from "./subjects/endpoints";
import { nodeRules } from "./subjects/nodes";
import { secretSyncRules } from "./subjects/secretSync";
import { selfRules } from "./subjects/self";
import { workloadRules } from "./subjects/workloads";
import { type Probed, type Watched, watchPods } from "./watch";

/** The names of the images in the lock, by what they are here. */
export const MONITORING_IMAGES = {
  prometheus: "prometheus",
  alertmanager: "alertmanager",
  blackbox: "blackbox-exporter",
} as const;

export interface MonitoringArgs {
  readonly environment: string;
  /** Where it runs. */
  readonly namespace: pulumi.Output<string>;
  /** All of the environment, by concern, `monitoring` among them. */
  readonly namespaces: Readonly<Record<string, pulumi.Output<string>>>;
  /** By digest, from the image lock. */
  readonly images: Readonly<Record<keyof typeof MONITORING_IMAGES, pulumi.Input<string>>>;
  /** How long samples are kept, unless the volume is full before. @default "2d" */
  readonly retention: string;
  /** Size of the volume with the samples. @default "2Gi" */
  readonly storage: string;
  /** Where alerts go; without it they are shown only. */
  readonly webhook?: Webhook;
  /** Where docs/runbooks can be read: each alert links into it. @default "docs/runbooks" */
  readonly runbooks: string;
  readonly apiServers: readonly Place[];
  /** What has to be there before the operator can serve. */
  readonly services: pulumi.Input<pulumi.Resource>[];
}

/**
 * Watches one environment: Prometheus and Alertmanager, run by the cluster's operator, and an exporter that asks
 * applications the way their users do. It sees nothing that it was not led to: whoever wants to be watched says so here, which
 * opens the path as well.
 *
 *     const monitoring = new Monitoring("monitoring", { environment: "dev", namespace, namespaces, images, … }, opts);
 *     monitoring.watch("registry", { peer: registry.peer, port: 5001 });
 *     monitoring.probe("web", { peer: web.peer, port: 3000, url: "http://web.dev-apps.svc.cluster.local/readyz" });
 */
export class Monitoring extends PlatformComponent {
  /** Where its samples can be asked for, by those who are let in. */
  readonly samples: { readonly peer: Peer; readonly port: number; readonly url: pulumi.Output<string> };
  private readonly prometheus: Peer;
  private readonly blackbox: Peer;

  constructor(
    name: string,
    private readonly args: MonitoringArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("Monitoring", name, opts);
    this.prometheus = this.peerOf("prometheus");
    this.blackbox = this.peerOf("blackbox");
    const url = args.namespace.apply(prometheusUrl);
    this.samples = { peer: this.prometheus, port: PROMETHEUS_PORT, url };
    const servers = this.createServers();
    this.watchItself();
    this.watchShared();
    this.alert("platform", [...selfRules, ...workloadRules, ...certificateRules, ...secretSyncRules]);
    this.alert("endpoints", endpointRules);
    this.registerOutputs({ servers: servers.map(({ urn }) => urn) });
  }

  /** Has pods asked for their metrics under this name, and their alerts raised; one of them is that they do not answer. */
  watch(job: string, watched: Watched): void {
    watchPods(this.child(`${job}-pods`), job, this.prometheus, watched, this.mark, this.after);
    this.alert(job, [targetDown(job), ...(watched.rules ?? [])]);
  }

  /** Has an application asked as a user would. */
  probe(app: string, probed: Probed): void {
    probeEndpoint(this.child(`${app}-endpoint`), app, this.blackbox, probed, this.mark, this.after);
  }

  /** Lets somebody ask for its samples. */
  answer(asker: Peer): void {
    link(asker, this.samples.peer, this.samples.port, this.own);
  }

  /** Raises alerts over whatever is known already. */
  alert(group: string, rules: readonly Rule[]): void {
    const { namespace, runbooks } = this.args;
    new k8s.apiextensions.CustomResource(
      this.child(`${group}-rules`),
      {
        apiVersion: MONITORING_API,
        kind: "PrometheusRule",
        metadata: { name: group, namespace, labels: this.mark },
        spec: { groups: [{ name: group, rules: rules.map((rule) => prometheusRule(rule, runbooks)) }] },
      },
      this.after,
    );
  }

  private identityOf(name: string): Identity {
    return { environment: this.args.environment, component: "monitoring", name };
  }

  private peerOf(name: string): Peer {
    return { name: this.child(name), namespace: this.args.namespace, selector: selector(this.identityOf(name)) };
  }

  /** By which Prometheus knows what is meant for it. */
  private get mark(): Record<string, string> {
    return { [ENVIRONMENT_LABEL]: this.args.environment };
  }

  private get after(): pulumi.CustomResourceOptions {
    return { ...this.own, dependsOn: this.args.services };
  }

  private role(owner: string): (role: string) => string {
    return (role) => this.child(`${owner}-${role}`);
  }

  private createServers(): pulumi.Resource[] {
    const { args } = this;
    const { environment, namespace, apiServers, webhook, namespaces } = args;
    toApiServer(this.prometheus, apiServers, this.own);
    const granted = grantOperator(this.role("granted"), namespace, this.own);
    const served = { ...this.own, dependsOn: [granted, ...args.services] };
    return [
      createPrometheus(
        this.role("prometheus"),
        {
          environment,
          namespace,
          namespaces,
          image: args.images.prometheus,
          retention: args.retention,
          storage: args.storage,
          scrapes: sharedScrapes(Object.values(namespaces)),
        },
        this.identityOf("prometheus"),
        served,
      ),
      createAlertmanager(
        this.role("alertmanager"),
        { environment, namespace, image: args.images.alertmanager, webhook },
        this.identityOf("alertmanager"),
        this.peerOf("alertmanager"),
        served,
      ),
      createBlackbox(
        this.role("blackbox"),
        { namespace, image: args.images.blackbox },
        this.identityOf("blackbox"),
        this.own,
      ),
    ];
  }

  private watchItself(): void {
    const ports = { prometheus: PROMETHEUS_PORT, alertmanager: ALERTMANAGER.port, blackbox: BLACKBOX_PORT };
    for (const [name, port] of Object.entries(ports)) this.watch(name, { peer: this.peerOf(name), port });
  }

  /** In namespaces that all environments open paths to, the policies say whose they are; they are there once the services are. */
  private watchShared(): void {
    const from = { ...this.prometheus, name: this.child(`${this.args.environment}-prometheus`) };
    for (const { peer, port } of SHARED) link(from, peer, port, this.after);
    this.alert("shared", [...SHARED.map(({ name }) => targetDown(name)), ...nodeRules]);
  }
}
