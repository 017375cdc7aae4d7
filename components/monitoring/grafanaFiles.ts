import { DASHBOARDS } from "./dashboards";
import { DATASOURCE, dashboardJson } from "./dashboards/dashboard";

export const GRAFANA_PORT = 3000;
/** Where all that it is told lies. The image looks here. */
export const FOLDER = "/etc/grafana";
/** What it knows from Vault, as files below its folder. */
export const SECRETS = { password: "secrets/password", key: "secrets/key" } as const;

const fromFile = (path: string): string => `$__file{${FOLDER}/${path}}`;

/** What is not told here is as the image has it. */
const settings = (url: string): Record<string, Record<string, string | number | boolean>> => ({
  server: { http_port: GRAFANA_PORT, root_url: url },
  security: {
    admin_password: fromFile(SECRETS.password),
    secret_key: fromFile(SECRETS.key),
    // Browsers come by https only: the edge sends the others there.
    cookie_secure: true,
    disable_gravatar: true,
  },
  "auth.anonymous": { enabled: false },
  users: { allow_sign_up: false, allow_org_create: false },
  dashboards: { default_home_dashboard_path: `${FOLDER}/dashboards/${DASHBOARDS[0].uid}.json` },
  // Nothing is asked of its publisher, told to it, or loaded from it; there is no way there either.
  analytics: {
    reporting_enabled: false,
    check_for_updates: false,
    check_for_plugin_updates: false,
    feedback_links_enabled: false,
  },
  news: { news_feed_enabled: false },
  plugins: { plugin_admin_enabled: false, preinstall_disabled: true, public_key_retrieval_disabled: true },
  snapshots: { enabled: false, external_enabled: false },
  public_dashboards: { enabled: false },
  // Alerts are Prometheus' and Alertmanager's.
  unified_alerting: { enabled: false },
  // The edge would show them to everybody.
  metrics: { enabled: false },
  live: { max_connections: 0 },
  log: { level: "warn" },
});

export const grafanaIni = (url: string): string =>
  Object.entries(settings(url))
    .map(([section, values]) => {
      const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}`);
      return [`[${section}]`, ...lines, ""].join("\n");
    })
    .join("\n");

const datasources = (prometheus: string): object => ({
  apiVersion: 1,
  datasources: [
    {
      ...DATASOURCE,
      name: "Prometheus",
      access: "proxy",
      url: prometheus,
      isDefault: true,
      editable: false,
      jsonData: { timeInterval: "15s", httpMethod: "POST" },
    },
  ],
});

const provider = {
  apiVersion: 1,
  providers: [
    {
      name: "platform",
      type: "file",
      allowUiUpdates: false,
      disableDeletion: true,
      options: { path: `${FOLDER}/dashboards` },
    },
  ],
};

/** By path below its folder. JSON is YAML. */
export const grafanaFiles = (url: string, prometheus: string): Readonly<Record<string, string>> => ({
  "grafana.ini": grafanaIni(url),
  "provisioning/datasources/prometheus.yaml": JSON.stringify(datasources(prometheus)),
  "provisioning/dashboards/platform.yaml": JSON.stringify(provider),
  ...Object.fromEntries(DASHBOARDS.map((each) => [`dashboards/${each.uid}.json`, dashboardJson(each)])),
});
