import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Deployers } from "../deployers";
import { Environment } from "../environment";
import { ISSUER, WAIT_FOR_READY } from "../lib/certificates";
import { PlatformComponent } from "../lib/component";
import type { Place } from "../lib/network";
import { WORKLOAD_TIMEOUT } from "../lib/security";
import { createClientAuthority } from "./clients";
import { type Controller, createController } from "./controller";
import { certManager, externalSecrets, kubeStateMetrics, prometheusOperator } from "./controllers";
import { createMark, createRefusal } from "./guard";
import { NODES_CONCERN, createNodeExporter } from "./nodeExporter";

/** The names of the images in the lock, by what they are here. */
export const SERVICE_IMAGES = {
  certManager: "cert-manager-controller",
  externalSecrets: "external-secrets",
} as const;
export const MONITORING_SERVICE_IMAGES = {
  prometheusOperator: "prometheus-operator",
  configReloader: "prometheus-config-reloader",
  kubeStateMetrics: "kube-state-metrics",
  nodeExporter: "node-exporter",
} as const;

type Images<T> = Readonly<Record<keyof T, pulumi.Input<string>>>;

export interface ClusterServicesArgs {
  /** The environment whose stack installs them. */
  readonly environment: string;
  /** By digest, from the image lock. */
  readonly images: Images<typeof SERVICE_IMAGES>;
  /** Adds what every environment's monitoring needs. @default none */
  readonly monitoring?: { readonly images: Images<typeof MONITORING_SERVICE_IMAGES> };
  /** Certificate and key of the platform's authority, PEM. */
  readonly authority: { readonly certificate: pulumi.Input<string>; readonly key: pulumi.Input<string> };
  readonly apiServers: readonly Place[];
  /** The other environments that are deployed as an account of their own. @default none */
  readonly deployers?: readonly string[];
}

/**
 * What a cluster has once, for all environments on it: the controllers of cert-manager and External Secrets, the authority
 * that signs the platform's certificates and, where the installing stack is monitored, Prometheus' operator and what tells the
 * state of the cluster and its nodes as metrics. One stack installs them, the others use them.
 */
export class ClusterServices extends PlatformComponent {
  /** What everything that asks for a certificate or a synced secret waits for. */
  readonly ready: pulumi.Resource[];
  /** What every environment's monitoring waits for. */
  readonly watching: pulumi.Resource[];
  private readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: ClusterServicesArgs, opts: pulumi.ComponentResourceOptions) {
    super("ClusterServices", name, opts);
    const home = new Environment(
      this.child("home"),
      { environment: "platform", concerns: ["operators"], quota: { cpu: "4", memory: "4Gi", pods: 20 } },
      this.own,
    );
    const namespace = (this.namespace = home.namespace("operators"));
    const controller = (each: Controller): pulumi.Resource =>
      createController(this.child(each.name), each, namespace, args.apiServers, this.own);
    const issuing = controller(certManager(args.images.certManager));
    const syncing = controller(externalSecrets(args.images.externalSecrets));
    const nodes = args.monitoring ? this.createNodes() : undefined;
    this.watching = args.monitoring && nodes ? this.createWatchers(args.monitoring.images, controller, nodes) : [];
    createRefusal(this.child("guard"), { ...args, namespace }, this.own);
    const clients = createClientAuthority((role) => this.child(role), namespace, issuing, this.own);
    this.ready = [this.createIssuer(args, namespace, issuing), clients, syncing];
    if (args.deployers?.length) {
      const shared = { operators: namespace, ...(nodes ? { nodes } : {}) };
      new Deployers(this.child("deployers"), { stacks: args.deployers, shared }, this.own);
    }
    this.registerOutputs({ namespace });
  }

  /** Keeps the stack, with everything that it made, from being removed while another environment needs these services. */
  guard(everything: pulumi.Resource[], opts: pulumi.CustomResourceOptions): void {
    createMark(this.child("guard"), this.namespace, [this, ...everything], opts);
  }

  private createNodes(): pulumi.Output<string> {
    const machines = new Environment(
      this.child("machines"),
      {
        environment: "platform",
        concerns: [NODES_CONCERN],
        podSecurity: "privileged",
        // One pod on each node, however many there come to be.
        quota: { cpu: "20", memory: "32Gi", pods: 1000 },
      },
      this.own,
    );
    return machines.namespace(NODES_CONCERN);
  }

  private createWatchers(
    images: Images<typeof MONITORING_SERVICE_IMAGES>,
    controller: (each: Controller) => pulumi.Resource,
    nodes: pulumi.Output<string>,
  ): pulumi.Resource[] {
    return [
      controller(prometheusOperator(images.prometheusOperator, images.configReloader)),
      controller(kubeStateMetrics(images.kubeStateMetrics)),
      createNodeExporter(this.child("node-exporter"), images.nodeExporter, nodes, this.own),
    ];
  }

  private createIssuer(
    { authority }: ClusterServicesArgs,
    namespace: pulumi.Output<string>,
    issuing: pulumi.Resource,
  ): k8s.apiextensions.CustomResource {
    const pair = new k8s.core.v1.Secret(
      this.child("authority"),
      {
        metadata: { namespace },
        type: "kubernetes.io/tls",
        stringData: { "tls.crt": authority.certificate, "tls.key": authority.key },
      },
      this.own,
    );
    return new k8s.apiextensions.CustomResource(
      this.child("issuer"),
      {
        apiVersion: "cert-manager.io/v1",
        kind: "ClusterIssuer",
        metadata: { name: ISSUER, annotations: WAIT_FOR_READY },
        spec: { ca: { secretName: pair.metadata.name } },
      },
      { ...this.own, ...WORKLOAD_TIMEOUT, dependsOn: [issuing] },
    );
  }
}
