import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { EdgeArgs } from "../../../components/edge";
import { type Recording, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

const CONTAINER = "spec.template.spec.containers.0";

const edge = (change: Partial<EdgeArgs> = {}): Promise<Recording> =>
  record(() => {
    const made = new Scene().edge("edge", change);
    return { address: made.address, host: made.hostOf("web"), url: made.urlOf("web") };
  });

const listener = (recording: Recording, name: string): Record<string, unknown> => {
  const all = field(one(recording, "Gateway"), "spec.listeners") as { name: string }[];
  return all.find((each) => each.name === name) as unknown as Record<string, unknown>;
};

interface Rule {
  readonly resources: string[];
  readonly resourceNames?: string[];
  readonly verbs: string[];
}
const rules = (recording: Recording, kind: string, name?: string): Rule[] =>
  field(one(recording, kind, name), "rules") as Rule[];

describe("Edge", () => {
  let recording: Recording;
  before(async () => {
    recording = await edge();
  });

  it("ends TLS for every host below its domain, with a certificate of the platform's authority", () => {
    const certificate = one(recording, "Certificate");
    assert.deepEqual(field(certificate, "spec.dnsNames"), ["*.dev.example"]);
    assert.equal(field(certificate, "spec.issuerRef.name"), "platform");
    const { hostname, tls, protocol } = listener(recording, "https");
    assert.deepEqual([hostname, protocol], ["*.dev.example", "HTTPS"]);
    const reference = { group: "", kind: "Secret", name: field(certificate, "spec.secretName") };
    assert.deepEqual(tls, { mode: "Terminate", certificateRefs: [reference] });
  });

  it("takes routes from the applications' namespace for https, and from nobody else", () => {
    const expressions = [{ key: "kubernetes.io/metadata.name", operator: "In", values: ["dev-apps"] }];
    const selector = { matchExpressions: expressions };
    assert.deepEqual(listener(recording, "https").allowedRoutes, { namespaces: { from: "Selector", selector } });
    // Without a word, a listener takes routes of its own namespace only.
    for (const name of ["http", "health"]) assert.equal(listener(recording, name).allowedRoutes, undefined);
  });

  it("serves the dashboards' route too where there are some, and tells its metrics for them", async () => {
    const dashboards = pulumi.output("dev-dashboards");
    const both = await edge({ dashboards });
    const { namespaces } = listener(both, "https").allowedRoutes as {
      namespaces: { selector: { matchExpressions: { values: string[] }[] } };
    };
    assert.deepEqual(namespaces.selector.matchExpressions[0]?.values, ["dev-apps", "dev-dashboards"]);
    const flags = field(one(both, "Deployment"), `${CONTAINER}.args`) as string[];
    assert.ok(flags.includes("--providers.kubernetesGateway.namespaces=dev-edge,dev-apps,dev-dashboards"));
    assert.deepEqual(rules(both, "Role", "edge-dashboards-role"), rules(both, "Role", "edge-routes-role"));
    assert.ok(flags.includes("--entryPoints.metrics.address=:9100"));
    const metrics = (from: Recording): boolean => JSON.stringify(from.resources).includes("metrics.prometheus");
    assert.deepEqual([metrics(both), metrics(recording)], [true, false]);
    const outside = field(one(both, "NetworkPolicy", "edge-from-outside"), "spec.ingress.0.ports") as {
      port: number;
    }[];
    assert.deepEqual(
      outside.map(({ port }) => port),
      [8000, 8443],
    );
    assert.equal((one(both, "Service").inputs.spec as { ports: unknown[] }).ports.length, 2);
  });

  it("serves the status page's route too where there is one, and tells no metrics for it", async () => {
    const [dashboards, status] = [pulumi.output("dev-dashboards"), pulumi.output("dev-status")];
    const all = await edge({ dashboards, status });
    const { namespaces } = listener(all, "https").allowedRoutes as {
      namespaces: { selector: { matchExpressions: { values: string[] }[] } };
    };
    assert.deepEqual(namespaces.selector.matchExpressions[0]?.values, ["dev-apps", "dev-dashboards", "dev-status"]);
    assert.deepEqual(rules(all, "Role", "edge-status-role"), rules(all, "Role", "edge-routes-role"));
    const alone = await edge({ status });
    const flags = field(one(alone, "Deployment"), `${CONTAINER}.args`) as string[];
    assert.ok(flags.includes("--providers.kubernetesGateway.namespaces=dev-edge,dev-apps,dev-status"));
    assert.ok(!JSON.stringify(flags).includes("metrics"));
  });

  it("lets in the pods of the status pages that ask here, at the port for https, and no other pod", async () => {
    const asked = await edge({ watchers: ["dev", "prod"] });
    const admitted = ["dev", "prod"].map((each) =>
      one(asked, "NetworkPolicy", `edge-status-of-${each}-to-edge-ingress`),
    );
    for (const [index, stack] of ["dev", "prod"].entries()) {
      const page = { "app.kubernetes.io/name": "status-page", "app.kubernetes.io/component": "status" };
      const from = [
        {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": `${stack}-status` } },
          podSelector: { matchLabels: page },
        },
      ];
      const rule = { from, ports: [{ protocol: "TCP", port: 8443 }] };
      assert.deepEqual(field(admitted[index] as (typeof admitted)[0], "spec.ingress"), [rule]);
    }
    const more = names(asked, "NetworkPolicy").length - names(recording, "NetworkPolicy").length;
    assert.equal(more, 2);
  });

  it("sends plain http to https, where that has a port of its own too", async () => {
    const redirectOf = (from: Recording): unknown =>
      field(one(from, "HTTPRoute", "edge-redirect"), "spec.rules.0.filters.0.requestRedirect");
    assert.deepEqual(redirectOf(recording), { scheme: "https", statusCode: 301 });
    assert.equal(field(one(recording, "HTTPRoute", "edge-redirect"), "spec.parentRefs.0.sectionName"), "http");
    const elsewhere = await edge({ ports: { http: 8080, https: 8443 } });
    assert.deepEqual(redirectOf(elsewhere), { scheme: "https", statusCode: 301, port: 8443 });
    const ports = field(one(elsewhere, "Service"), "spec.ports") as { port: number; targetPort: string }[];
    assert.deepEqual(
      ports.map(({ port, targetPort }) => [port, targetPort]),
      [
        [8080, "http"],
        [8443, "https"],
      ],
    );
    assert.equal(elsewhere.outputs.url, "https://web.dev.example:8443");
  });

  it("listens where its Gateway says, and shows only http and https to the outside", () => {
    const flags = field(one(recording, "Deployment"), `${CONTAINER}.args`) as string[];
    for (const name of ["http", "https", "health"])
      assert.ok(flags.includes(`--entryPoints.${name}.address=:${String(listener(recording, name).port)}`), name);
    const ingress = field(one(recording, "NetworkPolicy", "edge-from-outside"), "spec.ingress.0.ports");
    assert.deepEqual(
      ingress,
      [8000, 8443].map((port) => ({ protocol: "TCP", port })),
    );
    const ports = field(one(recording, "Service"), "spec.ports") as { targetPort: string }[];
    assert.deepEqual(
      ports.map(({ targetPort }) => targetPort),
      ["http", "https"],
    );
    assert.equal(field(one(recording, "Service"), "spec.allocateLoadBalancerNodePorts"), false);
  });

  it("is ready once its routes are loaded, which a route of its own shows", () => {
    const server = one(recording, "Deployment");
    assert.equal(field(server, `${CONTAINER}.readinessProbe.httpGet.path`), "/ready");
    assert.equal(field(server, `${CONTAINER}.livenessProbe.httpGet.path`), "/ping");
    const route = one(recording, "HTTPRoute", "edge-ready");
    assert.equal(field(route, "spec.parentRefs.0.sectionName"), "health");
    assert.deepEqual(field(route, "spec.rules.0.matches"), [{ path: { type: "Exact", value: "/ready" } }]);
    assert.ok(server.dependencies.includes(route.urn), "its pods would never get ready");
  });

  it("watches its own namespace and that of the applications, and its own class", () => {
    const flags = field(one(recording, "Deployment"), `${CONTAINER}.args`) as string[];
    assert.ok(flags.includes("--providers.kubernetesGateway.namespaces=dev-edge,dev-apps"));
    assert.ok(flags.includes("--providers.kubernetesGateway.labelSelector=platform/environment=dev"));
    const made = one(recording, "GatewayClass");
    assert.equal(field(made, "metadata.name"), "dev-edge");
    assert.equal((field(made, "metadata.labels") as Record<string, string>)["platform/environment"], "dev");
  });

  it("may write nothing but status, and of the cluster's read names only", () => {
    const all = [
      ...rules(recording, "Role", "edge-own-role"),
      ...rules(recording, "Role", "edge-routes-role"),
      ...rules(recording, "ClusterRole"),
    ];
    for (const { resources, verbs } of all) {
      const writes = verbs.some((verb) => !["get", "list", "watch"].includes(verb));
      if (writes) for (const resource of resources) assert.match(resource, /\/status$/);
    }
    assert.ok(all.some(({ verbs }) => verbs.includes("update")));
    const wide = rules(recording, "ClusterRole");
    assert.deepEqual(
      wide.map(({ resources, resourceNames }) => [resources, resourceNames]),
      [
        [["namespaces"], undefined],
        [["gatewayclasses"], undefined],
        [["gatewayclasses/status"], ["dev-edge"]],
      ],
    );
    const places = ["edge-own-binding", "edge-routes-binding"].map((name) =>
      field(one(recording, "RoleBinding", name), "metadata.namespace"),
    );
    assert.deepEqual(places, ["dev-edge", "dev-apps"]);
  });

  it("leaves its place only when the next server serves, and finishes what it began", async () => {
    const server = one(recording, "Deployment");
    const { rollingUpdate } = field(server, "spec.strategy") as { rollingUpdate: unknown };
    assert.deepEqual(rollingUpdate, { maxUnavailable: 0, maxSurge: 1 });
    const flags = field(server, `${CONTAINER}.args`) as string[];
    const finishes = /graceTimeOut=(\d+)s/.exec(flags.join(" "))?.[1];
    const stops = field(server, `${CONTAINER}.lifecycle.preStop.sleep.seconds`) as number;
    assert.ok(Number(finishes) > 0 && stops > 0);
    const grace = field(server, "spec.template.spec.terminationGracePeriodSeconds") as number;
    assert.ok(grace >= Number(finishes) + stops);
    assert.deepEqual(names(recording, "PodDisruptionBudget"), []);
    assert.equal(field(one(await edge({ replicas: 2 }), "PodDisruptionBudget"), "spec.maxUnavailable"), 1);
  });

  it("answers at the promised address without asking for it, else at the one that the cluster gave", async () => {
    const addressOf = (): Promise<string> => assert.fail("it was asked for");
    const promised = await edge({ address: "192.0.2.7", addressOf });
    assert.equal(promised.outputs.address, "192.0.2.7");
    assert.equal(field(one(promised, "Service"), "spec.loadBalancerIP"), "192.0.2.7");
    assert.equal(recording.outputs.address, "192.0.2.20");
    assert.equal(field(one(recording, "Service"), "spec.loadBalancerIP"), undefined);
    const none = await edge({ addressOf: () => Promise.resolve(undefined) });
    assert.match(none.outputs.address as string, /^no address yet: /);
  });

  it("gives each label a host below its domain", () => {
    assert.deepEqual([recording.outputs.host, recording.outputs.url], ["web.dev.example", "https://web.dev.example"]);
  });

  it("comes after what it needs of the cluster", async () => {
    const later = await record(() => {
      const scene = new Scene();
      scene.edge("edge", { services: scene.services().ready });
    });
    const issuer = one(later, "ClusterIssuer", "cluster-issuer").urn;
    for (const each of [one(later, "GatewayClass"), one(later, "Certificate", "edge-tls")])
      assert.ok(each.dependencies.includes(issuer), each.name);
  });
});
