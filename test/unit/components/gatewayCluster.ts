import { readFileSync } from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { Pair } from "../../../sandbox/pki";
import type { Fields, Recording } from "./recorder";

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly [field: string]: unknown;
}

interface Rule {
  readonly apiGroups: string[];
  readonly resources: string[];
  readonly verbs: string[];
  readonly resourceNames?: string[];
}

interface Question {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

const KINDS: Record<string, string> = {
  namespaces: "Namespace",
  services: "Service",
  secrets: "Secret",
  configmaps: "ConfigMap",
  endpointslices: "EndpointSlice",
  gatewayclasses: "GatewayClass",
  gateways: "Gateway",
  httproutes: "HTTPRoute",
  grpcroutes: "GRPCRoute",
  referencegrants: "ReferenceGrant",
  backendtlspolicies: "BackendTLSPolicy",
};

let version = 1;

/** What an API server fills in where nothing is said. */
function withDefaults(object: Manifest): Manifest {
  const spec = (object.spec ?? {}) as { rules?: Fields[]; ports?: Fields[] };
  const metadata = { ...object.metadata, uid: object.metadata.name, resourceVersion: String(version++), generation: 1 };
  if (object.kind === "Service")
    return { ...object, metadata, spec: { ...spec, ports: spec.ports?.map((port) => ({ protocol: "TCP", ...port })) } };
  if (object.kind !== "HTTPRoute") return { ...object, metadata };
  const matches = [{ path: { type: "PathPrefix", value: "/" } }];
  return { ...object, metadata, spec: { ...spec, rules: spec.rules?.map((rule) => ({ matches, ...rule })) } };
}

/**
 * As much of an API server as Traefik watches: it holds what a program asked for, answers by the Roles of that program, and
 * tells when the endpoints of an application change.
 */
export class GatewayCluster {
  readonly denied: string[] = [];
  readonly asked = new Set<string>();
  /** Holds the answers for routes back until it is opened. */
  open = false;
  private readonly objects: Manifest[];
  private readonly watches = new Map<string, http.ServerResponse[]>();
  private readonly held: (() => void)[] = [];
  private readonly server = http.createServer((request, response) => this.handle(request, response));

  constructor(recording: Recording, tls: Pair) {
    const made = recording.resources.map(({ opened }) => opened as unknown as Manifest);
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "edge-tls", namespace: "dev-edge" },
      data: {
        "tls.crt": readFileSync(tls.cert).toString("base64"),
        "tls.key": readFileSync(tls.key).toString("base64"),
      },
    };
    const namespaces = ["dev-edge", "dev-apps", "dev-dashboards"].map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
    }));
    this.objects = [...made.filter(({ kind }) => kind), ...namespaces, secret].map(withDefaults);
  }

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** Lets the routes be read. */
  release(): void {
    this.open = true;
    for (const answer of this.held) answer();
  }

  /** The pods of an application are now these. */
  endpoints(service: string, ports: readonly number[], namespace = "dev-apps"): void {
    const slices = ports.map((port, index) =>
      withDefaults({
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          name: `${service}-${index}`,
          namespace,
          labels: { "kubernetes.io/service-name": service },
        },
        addressType: "IPv4",
        ports: [{ name: "http", port, protocol: "TCP" }],
        endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
      }),
    );
    const before = this.objects.filter(
      ({ kind, metadata }) => kind === "EndpointSlice" && metadata.labels?.["kubernetes.io/service-name"] === service,
    );
    for (const each of before) this.objects.splice(this.objects.indexOf(each), 1);
    this.objects.push(...slices);
    const watches = this.watches.get(`${namespace}/endpointslices`) ?? [];
    const names = new Set(slices.map(({ metadata }) => metadata.name));
    const gone = before.filter(({ metadata }) => !names.has(metadata.name));
    const events = [
      ...slices.map((object) => ({ type: "MODIFIED", object })),
      ...gone.map((object) => ({ type: "DELETED", object })),
    ];
    for (const watch of watches) for (const event of events) watch.write(`${JSON.stringify(event)}\n`);
  }

  /** Every right of the program's Roles, as `asked` names it. */
  get granted(): string[] {
    return this.rules().flatMap(({ namespace, rule: { verbs, resources } }) =>
      verbs.flatMap((verb) => resources.map((resource) => `${verb} ${resource} ${namespace}`)),
    );
  }

  private rules(): { namespace: string; rule: Rule }[] {
    return this.objects
      .filter(({ kind }) => kind === "Role" || kind === "ClusterRole")
      .flatMap(({ metadata, rules }) =>
        (rules as Rule[]).map((rule) => ({ namespace: metadata.namespace ?? "", rule })),
      );
  }

  private allows({ verb, group, resource, namespace, name }: Question): boolean {
    return this.rules().some(
      ({ namespace: place, rule }) =>
        (place === "" || place === namespace) &&
        rule.apiGroups.includes(group) &&
        rule.resources.includes(resource) &&
        rule.verbs.includes(verb) &&
        (!rule.resourceNames || rule.resourceNames.includes(name ?? "")),
    );
  }

  private handle(request: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://api");
    const [root, ...rest] = url.pathname.split("/").filter(Boolean);
    const [group = "", apiVersion = "", ...path] = root === "api" ? ["", ...rest] : rest;
    const namespace = path[0] === "namespaces" && path.length > 2 ? path[1] : undefined;
    const [plural = "", name, sub] = namespace ? path.slice(2) : path;
    const watching = url.searchParams.has("watch");
    const verb = request.method === "PUT" ? "update" : name ? "get" : watching ? "watch" : "list";
    const resource = sub ? `${plural}/${sub}` : plural;
    const question = { verb, group, resource, namespace, name };
    const refuse = (code: number, reason: string): unknown =>
      response
        .writeHead(code)
        .end(JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", reason, code }));
    response.setHeader("content-type", "application/json");
    if (!this.allows(question)) {
      this.denied.push(JSON.stringify(question));
      return void refuse(403, "Forbidden");
    }
    this.asked.add(`${verb} ${resource} ${namespace ?? ""}`);
    if (verb === "update") return void request.pipe(response);
    // A client that would rather watch from the beginning lists instead.
    if (url.searchParams.has("sendInitialEvents")) return void refuse(422, "Invalid");
    const place = `${namespace ?? ""}/${plural}`;
    if (watching) {
      this.watches.set(place, [...(this.watches.get(place) ?? []), response]);
      return response.flushHeaders();
    }
    const answer = (): void => {
      const kind = KINDS[plural] ?? "";
      const items = this.objects.filter((each) => each.kind === kind && each.metadata.namespace === namespace);

      response.end(
        JSON.stringify({
          kind: `${kind}List`,
          apiVersion: group ? `${group}/${apiVersion}` : apiVersion,
          metadata: { resourceVersion: String(version) },
          items,
        }),
      );
    };
    if (plural === "httproutes" && !this.open) this.held.push(answer);
    else answer();
  }
}
