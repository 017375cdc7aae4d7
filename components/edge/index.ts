import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type AddressOf, NO_ADDRESS, balancerAddress } from "../lib/balancer";
import { certificate } from "../lib/certificates";
import { PlatformComponent } from "../lib/component";
import { oneAtATime } from "../lib/disruption";
import { type Identity, labels, selector } from "../lib/labels";
import { NAMESPACE_LABEL, type Peer, type Place, admit, fromOutsidePods, toApiServer } from "../lib/network";
import { SKIP_AWAIT } from "../lib/security";
import type { Spread } from "../lib/spread";
import { statusPageOf } from "./place";
import { createRights } from "./rights";
import { LISTENS, METRICS_PORT, READY_PATH, createServer } from "./server";

const API_VERSION = "gateway.networking.k8s.io/v1";
const HTTPS = 443;

export interface EdgeArgs {
  readonly environment: string;
  readonly namespace: pulumi.Output<string>;
  /** The other namespace whose routes it serves. */
  readonly routesFrom: pulumi.Output<string>;
  /** Whether requests are counted for who switches versions by them. @default false */
  readonly counted?: boolean;
  /** The namespace of the dashboards, where there are some: their route is served too, and metrics are told for them. */
  readonly dashboards?: pulumi.Output<string>;
  /** The namespace of the status page, where there is one: its route is served too. */
  readonly status?: pulumi.Output<string>;
  /** The environments whose status pages ask here. @default none */
  readonly watchers?: readonly string[];
  /** By digest, from the image lock. */
  readonly image: pulumi.Input<string>;
  /** Below which every host is. @example "dev.platform.test" */
  readonly domain: string;
  readonly replicas: number;
  readonly spread: Spread;
  /** The load balancer's address, where one is promised. */
  readonly address?: string;
  /** Of the load balancer. @default { http: 80, https: 443 } */
  readonly ports?: { readonly http: number; readonly https: number };
  readonly addressOf: AddressOf;
  readonly podCidrs: readonly string[];
  readonly apiServers: readonly Place[];
  /** What has to be there before a certificate is issued and a route defined. */
  readonly services: pulumi.Input<pulumi.Resource>[];
}

/**
 * The environment's way in for browsers: a Gateway served by Traefik at one address, https with a certificate of the
 * platform's authority for every host below its domain; plain http is sent there. Costs a load balancer address.
 *
 *     const edge = new Edge("edge", { environment: "dev", namespace, routesFrom, domain: "dev.platform.test", … }, opts);
 *     new AppWorkload("web", { edge, host: "web", … }, opts);
 */
export class Edge extends PlatformComponent {
  readonly peer: Peer;
  /** Where its servers tell their metrics, if they do. */
  readonly metrics?: { readonly peer: Peer; readonly port: number };
  /** Of the load balancer, as far as the cluster gave one. */
  readonly address: pulumi.Output<string>;
  /** The parent of a route to an application. */
  readonly parent: { readonly name: pulumi.Output<string>; readonly namespace: pulumi.Output<string> };

  constructor(
    name: string,
    private readonly args: EdgeArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("Edge", name, opts);
    const identity: Identity = { environment: args.environment, component: "edge", name };
    this.peer = { name, namespace: args.namespace, selector: selector(identity) };
    fromOutsidePods(this.peer, [LISTENS.http, LISTENS.https], args.podCidrs, this.own);
    toApiServer(this.peer, args.apiServers, this.own);
    for (const each of args.watchers ?? [])
      admit(statusPageOf(each, this.child(`status-of-${each}`)), this.peer, LISTENS.https, this.own);
    if (args.dashboards || args.counted) this.metrics = { peer: this.peer, port: METRICS_PORT };
    const gatewayClass = this.createClass(identity);
    const gateway = this.createGateway(identity, gatewayClass);
    this.parent = { name: gateway.metadata.name, namespace: args.namespace };
    const account = this.createAccount(identity);
    const routes = [this.createReadiness(identity), this.createRedirect(identity)];
    const after = { ...this.own, dependsOn: routes };
    const servers = createServer(
      this.child("server"),
      { ...args, pages: Object.values(this.pages), metrics: this.metrics !== undefined, account },
      identity,
      after,
    );
    if (args.replicas > 1) this.createDisruptionBudget(identity);
    this.address = this.addressOf(this.createService(identity), servers);
    this.registerOutputs({ address: this.address });
  }

  /** The host of a label below the domain. */
  hostOf(label: string): string {
    return `${label}.${this.args.domain}`;
  }

  urlOf(label: string): string {
    const port = this.args.ports?.https ?? HTTPS;
    return `https://${this.hostOf(label)}${port === HTTPS ? "" : `:${port}`}`;
  }

  /** The platform's own namespaces that it serves, by what they are for. */
  private get pages(): Readonly<Record<string, pulumi.Output<string>>> {
    const { dashboards, status } = this.args;
    return { ...(dashboards ? { dashboards } : {}), ...(status ? { status } : {}) };
  }

  private get className(): string {
    return `${this.args.environment}-${this.ownName}`;
  }

  private createAccount(identity: Identity): pulumi.Output<string> {
    const { namespace, routesFrom } = this.args;
    const place = { namespace, routesFrom, pages: this.pages, gatewayClass: this.className };
    return createRights((role) => this.child(role), place, identity, this.own);
  }

  private createObject(
    role: string,
    kind: string,
    metadata: { name: string; namespace?: pulumi.Input<string>; labels: Record<string, string> },
    spec: object,
    dependsOn: pulumi.Input<pulumi.Resource>[] = [],
  ): k8s.apiextensions.CustomResource {
    return new k8s.apiextensions.CustomResource(
      this.child(role),
      { apiVersion: API_VERSION, kind, metadata: { ...metadata, annotations: SKIP_AWAIT }, spec },
      { ...this.own, dependsOn },
    );
  }

  /** The environment's own, found by its label: the servers of another environment leave it alone. */
  private createClass(identity: Identity): k8s.apiextensions.CustomResource {
    const metadata = { name: this.className, labels: labels(identity) };
    const spec = { controllerName: "traefik.io/gateway-controller" };
    return this.createObject("class", "GatewayClass", metadata, spec, this.args.services);
  }

  private createGateway(
    identity: Identity,
    gatewayClass: k8s.apiextensions.CustomResource,
  ): k8s.apiextensions.CustomResource {
    const { namespace, routesFrom, domain } = this.args;
    const hostname = `*.${domain}`;
    const tls = certificate(
      this.child("tls"),
      { name: `${identity.name}-tls`, namespace, dnsNames: [hostname] },
      { ...this.own, dependsOn: this.args.services },
    );
    const values = [routesFrom, ...Object.values(this.pages)];
    const others = { matchExpressions: [{ key: NAMESPACE_LABEL, operator: "In", values }] };
    return this.createObject(
      "gateway",
      "Gateway",
      { name: identity.name, namespace, labels: labels(identity) },
      {
        gatewayClassName: gatewayClass.metadata.name,
        listeners: [
          { name: "http", port: LISTENS.http, protocol: "HTTP", hostname },
          {
            name: "https",
            port: LISTENS.https,
            protocol: "HTTPS",
            hostname,
            tls: { mode: "Terminate", certificateRefs: [{ group: "", kind: "Secret", name: tls }] },
            allowedRoutes: { namespaces: { from: "Selector", selector: others } },
          },
          // The Service has no port for it.
          { name: "health", port: LISTENS.health, protocol: "HTTP" },
        ],
      },
    );
  }

  /** Traefik is alive before it has read a route: a server that took traffic then would answer 404. */
  private createReadiness(identity: Identity): k8s.apiextensions.CustomResource {
    return this.createRoute(identity, "ready", "health", {
      matches: [{ path: { type: "Exact", value: READY_PATH } }],
      backendRefs: [{ group: "traefik.io", kind: "TraefikService", name: "ping@internal" }],
    });
  }

  private createRedirect(identity: Identity): k8s.apiextensions.CustomResource {
    const { https = HTTPS } = this.args.ports ?? {};
    const requestRedirect = { scheme: "https", statusCode: 301, ...(https === HTTPS ? {} : { port: https }) };
    return this.createRoute(identity, "redirect", "http", {
      filters: [{ type: "RequestRedirect", requestRedirect }],
    });
  }

  private createRoute(
    identity: Identity,
    role: string,
    sectionName: string,
    rule: object,
  ): k8s.apiextensions.CustomResource {
    return this.createObject(
      role,
      "HTTPRoute",
      { name: this.child(role), namespace: this.args.namespace, labels: labels(identity) },
      { parentRefs: [{ name: this.parent.name, sectionName }], rules: [rule] },
    );
  }

  private createService(identity: Identity): k8s.core.v1.Service {
    const { namespace, address, ports = { http: 80, https: HTTPS } } = this.args;
    return new k8s.core.v1.Service(
      this.child("service"),
      {
        metadata: { name: identity.name, namespace, labels: labels(identity), annotations: SKIP_AWAIT },
        spec: {
          type: "LoadBalancer",
          allocateLoadBalancerNodePorts: false,
          ...(address ? { loadBalancerIP: address } : {}),
          selector: selector(identity),
          ports: Object.entries(ports).map(([name, port]) => ({ name, port, targetPort: name })),
        },
      },
      this.own,
    );
  }

  private addressOf(service: k8s.core.v1.Service, servers: k8s.apps.v1.Deployment): pulumi.Output<string> {
    const { address, addressOf } = this.args;
    if (address) return pulumi.output(address);
    return balancerAddress(service, servers, addressOf).apply((found) => found ?? NO_ADDRESS);
  }

  private createDisruptionBudget(identity: Identity): void {
    new k8s.policy.v1.PodDisruptionBudget(this.child("budget"), oneAtATime(identity, this.args.namespace), this.own);
  }
}
