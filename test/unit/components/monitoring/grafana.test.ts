import assert from "node:assert/strict";
import { DASHBOARDS } from "../../../../components/monitoring/dashboards";
import { type Recording, type Registered, SECRET, record } from "../recorder";
import { Scene, field, kindOf, one } from "../scene";

const POD = "spec.template.spec";

interface Item {
  readonly key: string;
  readonly path: string;
}
interface Source {
  readonly configMap?: { readonly name: string; readonly items: readonly Item[] };
  readonly secret?: { readonly name: string; readonly items: readonly Item[] };
}

const sources = (server: Registered): readonly Source[] =>
  field(server, `${POD}.volumes.0.projected.sources`) as readonly Source[];

/** What lies in its folder, by path. */
function filesOf(recording: Recording, server: Registered): Record<string, string> {
  const [{ configMap } = {}] = sources(server);
  const data = one(recording, "ConfigMap", "grafana-config").inputs.data as Record<string, string>;
  return Object.fromEntries((configMap?.items ?? []).map(({ key, path }) => [path, data[key] ?? "missing"]));
}

/** An ini file as `section.key`, by value. */
function settingsOf(ini: string): Record<string, string> {
  const found: Record<string, string> = {};
  let section = "";
  for (const line of ini.split("\n").filter(Boolean)) {
    const [, heading] = /^\[(.+)\]$/.exec(line) ?? [];
    const [, key, value] = /^(\w+) = (.*)$/.exec(line) ?? [];
    if (heading) section = heading;
    else if (key) found[`${section}.${key}`] = value ?? "";
    else assert.fail(`no line of an ini file: ${line}`);
  }
  return found;
}

describe("Grafana", () => {
  let recording: Recording;
  let server: Registered;
  let files: Record<string, string>;
  before(async () => {
    recording = await record(() => ({ url: new Scene().grafana().url }));
    server = one(recording, "Deployment", "grafana-server");
    files = filesOf(recording, server);
  });

  it("runs as the image's own user, with nothing of the cluster's, and writes where it may forget", () => {
    assert.deepEqual(field(server, `${POD}.securityContext`), {
      runAsNonRoot: true,
      runAsUser: 472,
      runAsGroup: 472,
      fsGroup: 472,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    });
    assert.equal(field(server, `${POD}.automountServiceAccountToken`), false);
    assert.equal(field(server, `${POD}.containers.0.securityContext.readOnlyRootFilesystem`), true);
    const mounts = field(server, `${POD}.containers.0.volumeMounts`) as { mountPath: string; readOnly?: boolean }[];
    assert.deepEqual(
      mounts.map(({ mountPath, readOnly = false }) => [mountPath, readOnly]),
      [
        ["/etc/grafana", true],
        ["/var/lib/grafana", false],
        ["/tmp", false],
      ],
    );
    const volumes = field(server, `${POD}.volumes`) as { emptyDir?: { sizeLimit: string } }[];
    assert.deepEqual(
      volumes.map(({ emptyDir }) => emptyDir?.sizeLimit),
      [undefined, "256Mi", "64Mi"],
    );
    for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"])
      assert.equal(field(server, `${POD}.containers.0.${probe}.httpGet.path`), "/api/health", probe);
  });

  it("asks its own Prometheus, and is asked by the edge: nothing else", () => {
    const policies = recording.resources.filter(
      (each) => kindOf(each) === "NetworkPolicy" && each.name.startsWith("grafana-") && each.parent === server.parent,
    );
    const paths = policies.map((each) => [
      `${field(each, "metadata.namespace") as string}/${field(each, "metadata.name") as string}`,
      field(each, "spec.egress.0") ?? field(each, "spec.ingress.0"),
    ]);
    const tcp = (port: number): object[] => [{ protocol: "TCP", port }];
    const pods = (namespace: string, name: string, component: string): object[] => [
      {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        podSelector: { matchLabels: { "app.kubernetes.io/name": name, "app.kubernetes.io/component": component } },
      },
    ];
    const own = pods("dev-dashboards", "grafana", "dashboards");
    assert.deepEqual(Object.fromEntries(paths), {
      "dev-edge/grafana-edge-to-grafana-egress": { to: own, ports: tcp(3000) },
      "dev-dashboards/grafana-edge-to-grafana-ingress": {
        from: pods("dev-edge", "grafana-edge", "edge"),
        ports: tcp(3000),
      },
      "dev-dashboards/grafana-to-grafana-monitoring-prometheus-egress": {
        to: pods("dev-monitoring", "prometheus", "monitoring"),
        ports: tcp(9090),
      },
      "dev-monitoring/grafana-to-grafana-monitoring-prometheus-ingress": { from: own, ports: tcp(9090) },
    });
    assert.equal(field(server, `${POD}.containers.0.ports.0.containerPort`), 3000);
  });

  it("is found at a host of the edge's, and knows under which", () => {
    const route = one(recording, "HTTPRoute", "grafana-route");
    assert.deepEqual(field(route, "spec.hostnames"), ["grafana.dev.example"]);
    assert.equal(field(route, "metadata.namespace"), "dev-dashboards");
    assert.deepEqual(field(route, "spec.parentRefs"), [
      { name: "grafana-edge", namespace: "dev-edge", sectionName: "https" },
    ]);
    const service = one(recording, "Service", "grafana-service");
    assert.deepEqual(field(route, "spec.rules.0.backendRefs"), [{ name: field(service, "metadata.name"), port: 80 }]);
    assert.equal(recording.outputs.url, "https://grafana.dev.example");
    assert.equal(settingsOf(files["grafana.ini"] ?? "")["server.root_url"], "https://grafana.dev.example");
  });

  it("has its password from Vault, in a file, and nowhere in the open", () => {
    const kept = one(recording, "SecretV2", "vault-grafana");
    assert.equal(kept.inputs.name, "grafana");
    assert.deepEqual(JSON.parse(kept.opened.dataJson as string), {
      password: "generated-grafana-password",
      key: "generated-grafana-key",
    });
    assert.equal(kept.inputs.dataJson, SECRET);
    const [, { secret } = {}] = sources(server);
    assert.equal(secret?.name, field(one(recording, "ExternalSecret"), "spec.target.name"));
    const settings = settingsOf(files["grafana.ini"] ?? "");
    for (const { key, path } of secret?.items ?? []) {
      const setting = key === "password" ? "security.admin_password" : "security.secret_key";
      assert.equal(settings[setting], `$__file{/etc/grafana/${path}}`);
    }
    assert.deepEqual(
      secret?.items.map(({ key }) => key),
      ["password", "key"],
    );
    assert.ok(!JSON.stringify(recording.resources.map(({ inputs }) => inputs)).includes("generated-"));
  });

  it("lets nobody in unasked, and asks nobody outside", () => {
    const settings = settingsOf(files["grafana.ini"] ?? "");
    const on = ["security.cookie_secure", "security.disable_gravatar", "plugins.preinstall_disabled"];
    const off = [
      "auth.anonymous.enabled",
      "users.allow_sign_up",
      "users.allow_org_create",
      "analytics.reporting_enabled",
      "analytics.check_for_updates",
      "analytics.check_for_plugin_updates",
      "news.news_feed_enabled",
      "plugins.plugin_admin_enabled",
      "snapshots.external_enabled",
      "public_dashboards.enabled",
      "metrics.enabled",
    ];
    for (const key of [...on, "plugins.public_key_retrieval_disabled"]) assert.equal(settings[key], "true", key);
    for (const key of off) assert.equal(settings[key], "false", key);
    assert.equal(field(server, `${POD}.containers.0.env`), undefined, "the image's variables go before its file");
  });

  it("is given the datasource that its dashboards ask, and finds them where it is told to look", () => {
    const read = (file: string): unknown => JSON.parse(files[`provisioning/${file}`] ?? "");
    const { datasources } = read("datasources/prometheus.yaml") as { datasources: Record<string, unknown>[] };
    assert.equal(datasources.length, 1);
    const { uid, type, url, editable } = datasources[0] ?? {};
    assert.deepEqual([uid, type, editable], ["prometheus", "prometheus", false]);
    assert.equal(url, "http://prometheus-operated.dev-monitoring.svc.cluster.local:9090");
    const { providers } = read("dashboards/platform.yaml") as { providers: { options: { path: string } }[] };
    assert.deepEqual(
      providers.map(({ options }) => options.path),
      ["/etc/grafana/dashboards"],
    );
    for (const { uid: name } of DASHBOARDS)
      assert.equal((JSON.parse(files[`dashboards/${name}.json`] ?? "") as { uid: string }).uid, name);
    const home = settingsOf(files["grafana.ini"] ?? "")["dashboards.default_home_dashboard_path"] ?? "";
    assert.ok(files[home.replace("/etc/grafana/", "")], home);
  });

  it("starts anew when what it is told changes, and a ConfigMap can hold all of it", () => {
    const config = one(recording, "ConfigMap", "grafana-config");
    assert.equal(field(config, "metadata.name"), undefined, "its name comes with its content");
    assert.ok(JSON.stringify(config.inputs.data).length < 900_000);
    for (const key of Object.keys(config.inputs.data as object)) assert.match(key, /^[\w.-]+$/);
  });
});
