import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Environment } from "../environment";
import { ISSUER, WAIT_FOR_READY } from "../lib/certificates";
import { PlatformComponent } from "../lib/component";
import type { Place } from "../lib/network";
import { WORKLOAD_TIMEOUT } from "../lib/security";
import { createController } from "./controller";
import { certManager, externalSecrets } from "./controllers";
import { createGuard } from "./guard";

export interface ClusterServicesArgs {
  /** The environment whose stack installs them. */
  readonly environment: string;
  readonly images: { readonly certManager: pulumi.Input<string>; readonly externalSecrets: pulumi.Input<string> };
  /** Certificate and key of the platform's authority, PEM. */
  readonly authority: { readonly certificate: pulumi.Input<string>; readonly key: pulumi.Input<string> };
  readonly apiServers: readonly Place[];
}

/**
 * What a cluster has once, for all environments on it: the controllers of cert-manager and External Secrets, and the
 * authority that signs the platform's certificates. One stack installs them, the others use them.
 */
export class ClusterServices extends PlatformComponent {
  /** What everything that asks for a certificate or a synced secret waits for. */
  readonly ready: pulumi.Resource[];
  private readonly namespace: pulumi.Output<string>;

  constructor(
    name: string,
    private readonly args: ClusterServicesArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("ClusterServices", name, opts);
    const home = new Environment(
      this.child("home"),
      { environment: "platform", concerns: ["operators"], quota: { cpu: "4", memory: "4Gi", pods: 20 } },
      this.own,
    );
    const namespace = (this.namespace = home.namespace("operators"));
    const controller = (each: ReturnType<typeof certManager>): pulumi.Resource =>
      createController(this.child(each.name), each, namespace, args.apiServers, this.own);
    const issuing = controller(certManager(args.images.certManager));
    const syncing = controller(externalSecrets(args.images.externalSecrets));
    this.ready = [this.createIssuer(args, namespace, issuing), syncing];
    this.registerOutputs({ namespace });
  }

  /** Keeps the stack, with everything that it made, from being removed while another environment needs these services. */
  guard(everything: pulumi.Resource[]): void {
    createGuard(this.child("guard"), { ...this.args, namespace: this.namespace }, [this, ...everything], this.own);
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
