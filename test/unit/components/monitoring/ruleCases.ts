/** What happens to each alert under given samples, for `promtool test rules`. */
interface Case {
  readonly alert: string;
  readonly when: string;
  /** Samples every 15 s, in promtool's notation, by series. */
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  /** How many of it fire at that time. */
  readonly firing: number;
  /** Which of them count, where others may fire as well. */
  readonly among?: string;
}

const DAY = 24 * 60 * 60;
const pod = 'namespace="dev-apps",pod="web-1"';
const certificate = 'certmanager_certificate_expiration_timestamp_seconds{namespace="dev-secrets",name="vault-tls"}';
const quota = (type: string): string =>
  `kube_resourcequota{namespace="dev-apps",resourcequota="quota",resource="pods",type="${type}"}`;
const redis = (ordinal: number): string => `redis_up{job="redis",namespace="dev-data",pod="redis-${ordinal}"}`;
const postgres = (ordinal: number): string => `pg_up{job="postgres",namespace="dev-data",pod="postgres-${ordinal}"}`;
const role = (figure: string): string => `pg_role_${figure}{job="postgres",pod="postgres-0",role="web"}`;
const copy = (ordinal: number): string => `pg_copy_behind_bytes{job="postgres",copy="postgres-${ordinal}"}`;
const FAR = 2 ** 27;
const store = (metric: string, ordinal = 0): string => `${metric}{job="object-store",pod="object-store-${ordinal}"}`;
const drives = (ordinal: number): string => store("minio_cluster_health_drives_online_count", ordinal);
const [STORE_FREE, STORE_SIZE] = ["free", "total"].map((part) =>
  store(`minio_cluster_health_capacity_usable_${part}_bytes`),
) as [string, string];
const [ASKED, FAILED] = [store("minio_api_requests_total"), store("minio_api_requests_5xx_errors_total")];
const node = (condition: string): string =>
  `kube_node_status_condition{node="node1",condition="${condition}",status="true"}`;

type Circumstances = Omit<Case, "alert" | "at">;

const each = (alert: string, at: string, cases: readonly Circumstances[]): Case[] =>
  cases.map((circumstances) => ({ alert, at, ...circumstances }));

export const CASES: readonly Case[] = [
  { alert: "Watchdog", when: "at any time", series: {}, at: "1m", firing: 1 },
  ...each("TargetDown", "2m", [
    { when: "a target answers", series: { 'up{job="vault",instance="a"}': "1x12" }, firing: 0 },
    { when: "a target does not answer", series: { 'up{job="vault",instance="a"}': "1 0x12" }, firing: 1 },
    { when: "there is no target", series: {}, firing: 1 },
    { when: "a target was away for a moment", series: { 'up{job="vault",instance="a"}': "1 0 0 1x10" }, firing: 0 },
  ]).map((one) => ({ ...one, among: 'job="vault"' })),
  ...each("EndpointDown", "2m", [
    { when: "an endpoint answers", series: { 'probe_success{app="web",instance="http://web"}': "1x12" }, firing: 0 },
    { when: "none answers", series: { 'probe_success{app="web",instance="http://web"}': "1 0x12" }, firing: 1 },
    { when: "it answers again", series: { 'probe_success{app="web",instance="http://web"}': "0x4 1x8" }, firing: 0 },
  ]),
  {
    alert: "PodCrashLooping",
    when: "a container waits before it is started again",
    series: {
      [`kube_pod_container_status_waiting_reason{${pod},container="app",reason="CrashLoopBackOff"}`]: "0 1 0x10",
    },
    at: "1m",
    firing: 1,
  },
  {
    alert: "PodCrashLooping",
    when: "a container waits for its image only",
    series: { [`kube_pod_container_status_waiting_reason{${pod},container="app",reason="ImagePullBackOff"}`]: "1x10" },
    at: "2m",
    firing: 0,
  },
  {
    alert: "PodNotReady",
    when: "a pod stays unready",
    series: { [`kube_pod_status_ready{${pod},condition="false"}`]: "1x12" },
    at: "2m",
    firing: 1,
  },
  ...["Succeeded", "Failed", "Running"].map((phase) => ({
    alert: "PodNotReady",
    when: `a pod is not ready and ${phase}`,
    series: {
      [`kube_pod_status_ready{${pod},condition="false"}`]: "1x12",
      [`kube_pod_status_phase{${pod},phase="${phase}"}`]: "1x12",
    },
    at: "2m",
    firing: phase === "Running" ? 1 : 0,
  })),
  {
    alert: "PodNotReady",
    when: "nobody knows, as the node is gone",
    series: {
      [`kube_pod_status_ready{${pod},condition="false"}`]: "0x12",
      [`kube_pod_status_ready{${pod},condition="unknown"}`]: "1x12",
    },
    at: "2m",
    firing: 1,
  },
  ...[1, 2].map((available) => ({
    alert: "ReplicasMissing",
    when: `a deployment of two has ${available}`,
    series: {
      'kube_deployment_spec_replicas{namespace="dev-apps",deployment="web"}': "2x12",
      'kube_deployment_status_replicas_available{namespace="dev-apps",deployment="web"}': `${available}x12`,
    },
    at: "2m",
    firing: 2 - available,
  })),
  {
    alert: "ReplicasMissing",
    when: "a server of three is missing",
    series: {
      'kube_statefulset_replicas{namespace="prod-secrets",statefulset="vault"}': "3x12",
      'kube_statefulset_status_replicas_ready{namespace="prod-secrets",statefulset="vault"}': "2x12",
    },
    at: "2m",
    firing: 1,
  },
  ...[
    { when: "little is used", used: 30, hard: 40, firing: 0 },
    { when: "nearly all is used", used: 39, hard: 40, firing: 1 },
    { when: "nothing is allowed, and nothing used", used: 0, hard: 0, firing: 0 },
  ].map(({ used, hard, ...rest }) => ({
    alert: "QuotaAlmostUsed",
    series: { [quota("used")]: `${used}x40`, [quota("hard")]: `${hard}x40` },
    at: "8m",
    ...rest,
  })),
  {
    alert: "CertificateExpiringSoon",
    when: "it ends in twenty days",
    series: { [certificate]: `${20 * DAY}x12` },
    at: "2m",
    firing: 1,
  },
  {
    alert: "CertificateExpiringSoon",
    when: "it ends in a month",
    series: { [certificate]: `${30 * DAY}x12` },
    at: "2m",
    firing: 0,
  },
  ...[
    { condition: "True", firing: 0 },
    { condition: "False", firing: 1 },
  ].map(({ condition, firing }) => ({
    alert: "CertificateNotReady",
    when: `its readiness is ${condition}`,
    series: {
      [`certmanager_certificate_ready_status{namespace="dev-secrets",name="vault-tls",condition="${condition}"}`]:
        "1x12",
    },
    at: "2m",
    firing,
  })),
  ...["True", "False"].map((status) => ({
    alert: "SecretSyncFailing",
    when: `Ready is ${status}`,
    series: {
      [`externalsecret_status_condition{namespace="dev-apps",name="web",condition="Ready",status="${status}"}`]: "1x12",
    },
    at: "1m",
    firing: status === "False" ? 1 : 0,
  })),
  ...[
    { when: "a server is unsealed", unsealed: "1x12", firing: 0 },
    { when: "a server is sealed", unsealed: "0x12", firing: 1 },
    { when: "a server never was unsealed", unsealed: undefined, firing: 1 },
  ].map(({ unsealed, ...rest }) => ({
    alert: "VaultSealed",
    series: {
      'up{job="vault",instance="a",pod="vault-0"}': "1x12",
      ...(unsealed && { 'vault_core_unsealed{job="vault",instance="a",pod="vault-0"}': unsealed }),
    },
    at: "1m",
    ...rest,
  })),
  ...each("VaultSealed", "1m", [
    {
      when: "a server was unsealed after it had said that it was not",
      series: {
        'vault_core_unsealed{job="vault",instance="a",pod="vault-0"}': "0x12",
        'vault_core_unsealed{job="vault",instance="a",pod="vault-0",cluster="c"}': "1x12",
      },
      firing: 0,
    },
  ]),
  ...each("RedisDown", "2m", [
    { when: "all servers answer", series: { [redis(0)]: "1x12", [redis(1)]: "1x12" }, firing: 0 },
    { when: "one does not answer", series: { [redis(0)]: "1x12", [redis(1)]: "1 0x12" }, firing: 1 },
    { when: "one is replaced by another pod", series: { [redis(0)]: "1x12", [redis(1)]: "1 1 stale" }, firing: 0 },
    { when: "none is there any more", series: { [redis(0)]: "1 1 stale" }, firing: 1 },
    { when: "none ever was, but another exporter", series: { 'redis_up{job="other"}': "1x12" }, firing: 1 },
    { when: "one answers again", series: { [redis(0)]: "0x4 1x8" }, firing: 0 },
  ]),
  ...each("PostgresDown", "2m", [
    { when: "the server answers", series: { [postgres(0)]: "1x12" }, firing: 0 },
    { when: "it does not answer", series: { [postgres(0)]: "1 0x12" }, firing: 1 },
    { when: "one of several does not answer", series: { [postgres(0)]: "1x12", [postgres(1)]: "0x12" }, firing: 1 },
    { when: "none is there any more", series: { [postgres(0)]: "1 1 stale" }, firing: 1 },
    { when: "it answers again", series: { [postgres(0)]: "0x4 1x8" }, firing: 0 },
  ]),
  ...each("PostgresConnectionsNearLimit", "4m", [
    {
      when: "half are taken",
      series: { [role("connections")]: "5x20", [role("connection_limit")]: "10x20" },
      firing: 0,
    },
    {
      when: "most are taken",
      series: { [role("connections")]: "9x20", [role("connection_limit")]: "10x20" },
      firing: 1,
    },
    {
      when: "most were taken for a moment",
      series: { [role("connections")]: "9x4 2x16", [role("connection_limit")]: "10x20" },
      firing: 0,
    },
  ]),
  ...each("PostgresCopyMissing", "4m", [
    { when: "both follow", series: { [copy(1)]: "0x20", [copy(2)]: "1000x20" }, firing: 0 },
    { when: "one is gone", series: { [copy(1)]: "0x20", [copy(2)]: "0 0 stale" }, firing: 1 },
    { when: "one lags far behind", series: { [copy(1)]: "0x20", [copy(2)]: `${FAR}x20` }, firing: 1 },
    { when: "no server tells of any", series: {}, firing: 1 },
    { when: "one was away for a moment", series: { [copy(1)]: "0x20", [copy(2)]: `${FAR}x4 0x16` }, firing: 0 },
  ]),
  ...each("ObjectStoreDriveMissing", "3m", [
    { when: "all are there", series: { [drives(0)]: "4x20", [drives(1)]: "4x20" }, firing: 0 },
    { when: "one is gone", series: { [drives(0)]: "4 3x20" }, firing: 1 },
    { when: "one server sees fewer than another", series: { [drives(0)]: "4x20", [drives(1)]: "3x20" }, firing: 1 },
    { when: "no server is there to tell", series: { [drives(0)]: "4 stale" }, firing: 1 },
    { when: "one was away for a moment", series: { [drives(0)]: "4 3x2 4x20" }, firing: 0 },
  ]),
  ...each("ObjectStoreAlmostFull", "7m", [
    { when: "half is free", series: { [STORE_FREE]: "50x30", [STORE_SIZE]: "100x30" }, firing: 0 },
    { when: "little is free", series: { [STORE_FREE]: "5x30", [STORE_SIZE]: "100x30" }, firing: 1 },
    { when: "room was made", series: { [STORE_FREE]: "5x4 50x26", [STORE_SIZE]: "100x30" }, firing: 0 },
  ]),
  ...each("ObjectStoreFailing", "6m", [
    { when: "nobody asks", series: {}, firing: 0 },
    { when: "all are answered", series: { [ASKED]: "0+100x30" }, firing: 0 },
    { when: "a few are not", series: { [ASKED]: "0+100x30", [FAILED]: "0+1x30" }, firing: 0 },
    { when: "many are not", series: { [ASKED]: "0+100x30", [FAILED]: "0+20x30" }, firing: 1 },
  ]),
  ...each("NodeUnhealthy", "2m", [
    { when: "a node is well", series: { [node("Ready")]: "1x12", [node("DiskPressure")]: "0x12" }, firing: 0 },
    { when: "a node is not ready", series: { [node("Ready")]: "0x12" }, firing: 1 },
    {
      when: "a node's disk is nearly full",
      series: { [node("Ready")]: "1x12", [node("DiskPressure")]: "1x12" },
      firing: 1,
    },
  ]),
  ...[40, 4].map((available) => ({
    alert: "NodeMemoryLow",
    when: `${available} of 100 are left`,
    series: {
      'node_memory_MemAvailable_bytes{instance="192.0.2.1:9100"}': `${available}x16`,
      'node_memory_MemTotal_bytes{instance="192.0.2.1:9100"}': "100x16",
    },
    at: "4m",
    firing: available < 5 ? 1 : 0,
  })),
  ...each("RuleEvaluationFailing", "2m", [
    {
      when: "rules are evaluated",
      series: { 'prometheus_rule_evaluation_failures_total{rule_group="g"}': "0x20" },
      firing: 0,
    },
    {
      when: "one fails",
      series: { 'prometheus_rule_evaluation_failures_total{rule_group="g"}': "0x4 1x10" },
      firing: 1,
    },
  ]),
  ...["prometheus", "alertmanager"].flatMap((job) =>
    [0, 1].map((successful) => ({
      alert: "ConfigReloadFailing",
      when: `the last reload of ${job} ${successful ? "went well" : "failed"}`,
      series: { [`${job}_config_last_reload_successful{job="${job}"}`]: `${successful}x12` },
      at: "2m",
      firing: 1 - successful,
    })),
  ),
  {
    alert: "NotificationsFailing",
    when: "the webhook answers with an error",
    series: { 'alertmanager_notifications_failed_total{job="alertmanager",integration="webhook"}': "0 1 2 3 4 5x10" },
    at: "2m",
    firing: 1,
  },
  {
    alert: "NotificationsFailing",
    when: "all is handed on",
    series: { 'prometheus_notifications_errors_total{job="prometheus"}': "3x12" },
    at: "2m",
    firing: 0,
  },
  ...["0x12", "0x4 2x8"].map((values, firing) => ({
    alert: "SamplesRefused",
    when: firing ? "a target tells too much" : "all targets tell what they may",
    series: { 'prometheus_target_scrapes_exceeded_sample_limit_total{job="prometheus"}': values },
    at: "2m",
    firing,
  })),
];

/** The file that promtool takes; `ruleFiles` may hold patterns. */
export const ruleTests = (ruleFiles: readonly string[]): string =>
  JSON.stringify({
    rule_files: ruleFiles,
    evaluation_interval: "15s",
    tests: CASES.map(({ alert, when, series, at, firing, among }) => ({
      name: `${alert}: ${when}`,
      interval: "15s",
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      promql_expr_test: [
        {
          expr: `count(ALERTS{alertname="${alert}",alertstate="firing"${among ? `,${among}` : ""}}) or vector(0)`,
          eval_time: at,
          exp_samples: [{ labels: "{}", value: firing }],
        },
      ],
    })),
  });
