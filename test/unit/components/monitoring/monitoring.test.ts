import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { vaultWatched } from "../../../../components/monitoring/subjects/vault";
import { imageLock } from "../../../../toolchain/images/lock";
import { type Recording, type Registered, SECRET, record } from "../recorder";
import { Scene, field, kindOf, one } from "../scene";

const peer = { name: "web", namespace: "dev-apps", selector: { app: "web" } };
const ofKind = ({ resources }: Recording, kind: string): Registered[] =>
  resources.filter((each) => kindOf(each) === kind);
const nameOf = (each: Registered): string =>
  `${field(each, "metadata.namespace") as string}/${field(each, "metadata.name") as string}`;

interface Scrape {
  readonly job_name: string;
  readonly static_configs?: readonly { readonly targets: readonly string[] }[];
  readonly dns_sd_configs?: readonly { readonly names: readonly string[] }[];
  readonly metric_relabel_configs?: readonly { readonly regex: string; readonly action: string }[];
}

describe("Monitoring", () => {
  let recording: Recording;
  before(async () => {
    recording = await record(() => {
      const scene = new Scene();
      const monitoring = scene.monitoring();
      monitoring.watch("web", { peer, port: 9000 });
      const vault = { name: "vault", namespace: "dev-secrets", selector: { app: "vault" } };
      monitoring.watch("vault", vaultWatched(vault, pulumi.output("dev-secrets"), "PEM of the authority"));
      monitoring.probe("web", { peer, port: 3000, url: "http://web.dev-apps.svc.cluster.local/readyz" });
    });
  });

  it("selects by the environment's label, objects and namespaces alike", () => {
    const spec = one(recording, "Prometheus").inputs.spec as Record<string, unknown>;
    const expected = { matchLabels: { "platform/environment": "dev" } };
    for (const kind of ["serviceMonitor", "podMonitor", "probe", "rule"]) {
      assert.deepEqual(spec[`${kind}Selector`], expected, kind);
      assert.deepEqual(spec[`${kind}NamespaceSelector`], expected, kind);
    }
    for (const kind of ["PodMonitor", "Probe", "PrometheusRule"])
      for (const each of ofKind(recording, kind))
        assert.deepEqual(field(each, "metadata.labels"), expected.matchLabels, each.name);
  });

  it("runs its servers as the restricted profile wants them, within limits, on volumes", () => {
    for (const kind of ["Prometheus", "Alertmanager"]) {
      const server = one(recording, kind);
      assert.equal(field(server, "spec.securityContext.runAsNonRoot"), true, kind);
      assert.deepEqual(field(server, "spec.securityContext.seccompProfile"), { type: "RuntimeDefault" }, kind);
      assert.match(field(server, "spec.resources.limits.memory") as string, /^\d+Mi$/, kind);
      assert.ok(field(server, "spec.storage.volumeClaimTemplate.spec.resources.requests.storage"), kind);
      const annotations = field(server, "metadata.annotations") as Record<string, string>;
      assert.equal(annotations["pulumi.com/waitFor"], "condition=Available", kind);
    }
  });

  it("tells the operator the version that the images have", () => {
    for (const kind of ["Prometheus", "Alertmanager"] as const)
      assert.equal(
        field(one(recording, kind), "spec.version"),
        imageLock[kind.toLowerCase()]?.tag.replace(/^v/, ""),
        kind,
      );
  });

  it("keeps samples for as long as it is told, and leaves room on the volume", async () => {
    const told = await record(() => void new Scene().monitoring("m", { retention: "15d", storage: "10Gi" }));
    assert.equal(field(one(told, "Prometheus"), "spec.retention"), "15d");
    assert.equal(field(one(told, "Prometheus"), "spec.retentionSize"), "7680MB");
  });

  it("may list pods in the environment's namespaces, and no more than find Alertmanager in its own", () => {
    const roles = ofKind(recording, "Role").filter(({ name }) => name.startsWith("monitoring-prometheus"));
    const resources = (each: Registered): string[] =>
      (each.inputs.rules as { resources: string[] }[]).flatMap((rule) => rule.resources);
    assert.deepEqual(Object.fromEntries(roles.map((each) => [nameOf(each).split("/")[0], resources(each)])), {
      "dev-secrets": ["pods"],
      "dev-registry": ["pods"],
      "dev-data": ["pods"],
      "dev-apps": ["pods"],
      "dev-monitoring": ["pods", "services", "endpointslices"],
    });
    for (const each of roles)
      for (const { verbs } of each.inputs.rules as { verbs: string[] }[])
        assert.deepEqual(verbs, ["get", "list", "watch"], each.name);
    assert.deepEqual([...ofKind(recording, "ClusterRole"), ...ofKind(recording, "ClusterRoleBinding")], []);
  });

  it("lets the operator write in its own namespace only", () => {
    const granted = ofKind(recording, "RoleBinding").filter((each) => nameOf(each).endsWith("/prometheus-operator"));
    assert.deepEqual(granted.map(nameOf), ["dev-monitoring/prometheus-operator"]);
  });

  it("opens both sides of the way to whom it watches, on the port that it asks", () => {
    const [egress, ingress] = ["egress", "ingress"].map((side) =>
      one(recording, "NetworkPolicy", `monitoring-prometheus-to-web-${side}`),
    );
    const prometheus = { "app.kubernetes.io/name": "prometheus", "app.kubernetes.io/component": "monitoring" };
    assert.deepEqual(field(egress as Registered, "spec.podSelector.matchLabels"), prometheus);
    assert.deepEqual(field(egress as Registered, "spec.egress.0.ports"), [{ protocol: "TCP", port: 9000 }]);
    assert.equal(nameOf(ingress as Registered), "dev-apps/monitoring-prometheus-to-web-ingress");
    assert.deepEqual(field(ingress as Registered, "spec.ingress.0.ports"), [{ protocol: "TCP", port: 9000 }]);
    const monitor = one(recording, "PodMonitor", "monitoring-web-pods");
    assert.equal(nameOf(monitor), "dev-apps/web");
    assert.deepEqual(field(monitor, "spec.selector.matchLabels"), peer.selector);
    assert.equal(field(monitor, "spec.podMetricsEndpoints.0.portNumber"), 9000);
    assert.equal(field(monitor, "spec.podMetricsEndpoints.0.scheme"), undefined);
  });

  it("gives its servers the labels by which the paths know them", () => {
    for (const [kind, name] of [
      ["Prometheus", "prometheus"],
      ["Alertmanager", "alertmanager"],
    ] as const) {
      const labels = field(one(recording, kind), "spec.podMetadata.labels") as Record<string, string>;
      assert.equal(labels["app.kubernetes.io/name"], name);
      assert.equal(labels["app.kubernetes.io/component"], "monitoring");
    }
  });

  it("asks Vault over TLS, trusting the platform's authority alone", () => {
    const endpoint = field(one(recording, "PodMonitor", "monitoring-vault-pods"), "spec.podMetricsEndpoints.0");
    const { scheme, tlsConfig, params, path } = endpoint as Record<string, Record<string, unknown>>;
    assert.deepEqual([scheme, path, params], ["https", "/v1/sys/metrics", { format: ["prometheus"] }]);
    assert.equal(tlsConfig?.serverName, "vault.dev-secrets.svc.cluster.local");
    assert.equal(tlsConfig?.insecureSkipVerify, undefined);
    assert.deepEqual(one(recording, "ConfigMap", "monitoring-vault-pods-authority").inputs.data, {
      "ca.crt": "PEM of the authority",
    });
  });

  it("asks applications through the exporter, which alone may reach them", () => {
    const probe = one(recording, "Probe");
    assert.deepEqual(field(probe, "spec.targets.staticConfig"), {
      static: ["http://web.dev-apps.svc.cluster.local/readyz"],
      labels: { app: "web" },
    });
    assert.equal(field(probe, "spec.prober.url"), "blackbox.dev-monitoring.svc.cluster.local:9115");
    const ingress = one(recording, "NetworkPolicy", "monitoring-blackbox-to-web-ingress");
    assert.deepEqual(field(ingress, "spec.ingress.0.ports"), [{ protocol: "TCP", port: 3000 }]);
    const { data } = one(recording, "ConfigMap", "monitoring-blackbox-config").inputs as {
      data: Record<string, string>;
    };
    const modules = (JSON.parse(data["blackbox.yml"] ?? "") as { modules: object }).modules;
    assert.deepEqual(Object.keys(modules), [field(probe, "spec.module")]);
  });

  const scrapesOf = (from: Recording): Scrape[] => {
    const { stringData } = one(from, "Secret", "monitoring-prometheus-scrapes").opened as {
      stringData: Record<string, string>;
    };
    return JSON.parse(stringData["scrapes.yaml"] ?? "") as Scrape[];
  };

  it("finds each node's exporter behind the one name, and each shared controller under its own", () => {
    const found = scrapesOf(recording).map(({ job_name, dns_sd_configs, static_configs }) => [
      job_name,
      dns_sd_configs?.[0]?.names[0] ?? static_configs?.[0]?.targets[0],
    ]);
    assert.deepEqual(Object.fromEntries(found), {
      "cert-manager": "cert-manager.platform-operators.svc.cluster.local:9402",
      "external-secrets": "external-secrets.platform-operators.svc.cluster.local:8080",
      "prometheus-operator": "prometheus-operator.platform-operators.svc.cluster.local:8080",
      "kube-state-metrics": "kube-state-metrics.platform-operators.svc.cluster.local:8080",
      "node-exporter": "node-exporter.platform-nodes.svc.cluster.local",
    });
  });

  it("keeps of the shared controllers what is said of this environment", () => {
    const scrapes = scrapesOf(recording);
    const state = scrapes.find(({ job_name }) => job_name === "kube-state-metrics");
    const [keep] = state?.metric_relabel_configs ?? [];
    assert.equal(keep?.action, "keep");
    const kept = new RegExp(`^(?:${keep?.regex})$`);
    for (const own of ["", "dev-apps", "dev-monitoring"]) assert.match(own, kept);
    for (const other of ["qa-apps", "dev-apps-of-others", "kube-system"]) assert.doesNotMatch(other, kept);
  });

  it("names its paths into the shared namespace after its environment", async () => {
    const both = await record(() => {
      const scene = new Scene();
      scene.monitoring("monitoring", { environment: "dev" });
      scene.monitoring("other", { environment: "qa" });
    });
    const shared = ofKind(both, "NetworkPolicy").map(nameOf);
    const inShared = shared.filter((each) => /^platform-(operators|nodes)\//.test(each));
    assert.equal(inShared.length, 10);
    assert.equal(new Set(inShared).size, 10);
  });

  it("waits for the shared services with all that needs their namespace, their definitions or their operator", async () => {
    const waiting = await record(() => {
      const scene = new Scene();
      const { watching } = scene.services();
      const monitoring = scene.monitoring("monitoring", { services: watching });
      monitoring.watch("web", { peer, port: 9000 });
      monitoring.probe("web", { peer, port: 3000, url: "http://web" });
    });
    const operator = one(waiting, "Deployment", "cluster-prometheus-operator-server").urn;
    const exporter = one(waiting, "DaemonSet").urn;
    const needing = waiting.resources.filter(
      (each) =>
        each.type.startsWith("kubernetes:monitoring.coreos.com/") ||
        (each.name.startsWith("monitoring-") && /^platform-(operators|nodes)\//.test(nameOf(each))),
    );
    assert.ok(needing.length > 10);
    for (const each of needing)
      for (const urn of [operator, exporter]) assert.ok(each.dependencies.includes(urn), each.name);
  });

  it("sends alerts to nobody, or to the webhook and only there", async () => {
    const config = (from: Recording): string =>
      (one(from, "Secret", "monitoring-alertmanager-config").opened.stringData as Record<string, string>)[
        "alertmanager.yaml"
      ] ?? "";
    assert.match(config(recording), /"receiver":"nobody"/);
    assert.ok(!config(recording).includes("webhook"));
    const url = "https://alerts.example:8443/hook/token-of-the-hook";
    const told = await record(
      () => void new Scene().monitoring("monitoring", { webhook: { url, addresses: ["203.0.113.7/32"] } }),
    );
    const { receivers, route } = JSON.parse(config(told)) as {
      receivers: { name: string; webhook_configs?: { url: string }[] }[];
      route: { receiver: string; routes: { receiver: string; matchers: string[] }[] };
    };
    assert.equal(route.receiver, "webhook");
    assert.deepEqual(route.routes[0]?.matchers, ['alertname="Watchdog"']);
    assert.equal(receivers.find(({ name }) => name === "webhook")?.webhook_configs?.[0]?.url, url);
    assert.ok(!JSON.stringify(told.resources.map(({ inputs }) => inputs)).includes("token-of-the-hook"));
    assert.deepEqual(one(told, "Secret", "monitoring-alertmanager-config").inputs.stringData, SECRET);
    const way = one(told, "NetworkPolicy", "monitoring-alertmanager-to-webhook");
    assert.deepEqual(field(way, "spec.egress"), [
      { to: [{ ipBlock: { cidr: "203.0.113.7/32" } }], ports: [{ protocol: "TCP", port: 8443 }] },
    ]);
  });
});

describe("what a cluster has once for monitoring", () => {
  it("is there where the installing stack is monitored, and not where it is not", async () => {
    const watchers = ["prometheus-operator", "kube-state-metrics", "node-exporter"];
    const servers = ({ resources }: Recording): unknown[] =>
      resources
        .filter((each) => ["Deployment", "DaemonSet"].includes(kindOf(each)))
        .map((each) => field(each, "metadata.name"))
        .sort();
    const controllers = ["cert-manager", "external-secrets"];
    const watched = await record(() => void new Scene().services());
    assert.deepEqual(servers(watched), [...controllers, ...watchers].sort());
    const blind = await record(() => void new Scene().services("cluster", { monitoring: undefined }));
    assert.deepEqual(servers(blind), controllers);
    assert.deepEqual(
      ofKind(blind, "Namespace").map(({ name }) => name),
      ["cluster-home-operators"],
    );
  });

  it("looks at the machines from a namespace of its own, the only one that takes more than restricted pods", async () => {
    const recording = await record(() => void new Scene().services());
    const profiles = ofKind(recording, "Namespace").map((each) => [
      field(each, "metadata.name"),
      (field(each, "metadata.labels") as Record<string, string>)["pod-security.kubernetes.io/enforce"],
    ]);
    assert.deepEqual(profiles, [
      ["platform-operators", "restricted"],
      ["platform-nodes", "privileged"],
    ]);
    const pod = field(one(recording, "DaemonSet"), "spec.template.spec") as Record<string, unknown>;
    assert.deepEqual(pod.volumes, [{ name: "proc", hostPath: { path: "/proc", type: "Directory" } }]);
    for (const shared of ["hostPID", "hostNetwork", "hostIPC"]) assert.equal(pod[shared], undefined, shared);
    assert.equal(pod.automountServiceAccountToken, false);
    const [container] = pod.containers as { securityContext: object; volumeMounts: { readOnly: boolean }[] }[];
    assert.deepEqual(container?.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ["ALL"] },
    });
    assert.deepEqual(
      container.volumeMounts.map(({ readOnly }) => readOnly),
      [true],
    );
  });
});

describe("the operator of Prometheus", () => {
  it("may read in the whole cluster, and write there nothing but the state of its own objects", async () => {
    const recording = await record(() => void new Scene().services());
    const role = one(recording, "ClusterRole", "cluster-prometheus-operator-role");
    const writing = (role.inputs.rules as { apiGroups: string[]; verbs: string[] }[]).filter(({ verbs }) =>
      verbs.some((verb) => !["get", "list", "watch"].includes(verb)),
    );
    const groups = new Set(writing.flatMap(({ apiGroups }) => apiGroups));
    assert.deepEqual([...groups].sort(), ["", "events.k8s.io", "monitoring.coreos.com"]);
    const [events] = writing.filter(({ apiGroups }) => apiGroups.includes(""));
    assert.deepEqual((events as { resources?: string[] } | undefined)?.resources, ["events"]);
  });

  it("runs the reloader of its own version", async () => {
    const recording = await record(() => void new Scene().services());
    const server = one(recording, "Deployment", "cluster-prometheus-operator-server");
    const args = field(server, "spec.template.spec.containers.0.args") as string[];
    assert.ok(args.includes("--prometheus-config-reloader=images.example/reloader@sha256:a"));
    assert.equal(imageLock["prometheus-operator"]?.tag, imageLock["prometheus-config-reloader"]?.tag);
  });

  it("and all that is shared answers under a name, on the port that is asked", async () => {
    const recording = await record(() => void new Scene().services());
    const services = ofKind(recording, "Service").map((each) => [
      nameOf(each),
      field(each, "spec.ports.0.port") as number,
    ]);
    assert.deepEqual(services.sort(), [
      ["platform-nodes/node-exporter", 9100],
      ["platform-operators/cert-manager", 9402],
      ["platform-operators/external-secrets", 8080],
      ["platform-operators/kube-state-metrics", 8080],
      ["platform-operators/prometheus-operator", 8080],
    ]);
  });
});
