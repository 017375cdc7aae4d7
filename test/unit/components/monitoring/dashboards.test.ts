import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { DASHBOARDS } from "../../../../components/monitoring/dashboards";
import { dashboardJson, layout } from "../../../../components/monitoring/dashboards/dashboard";
import { objectStoreWatched } from "../../../../components/monitoring/subjects/objectStore";
import { postgresWatched } from "../../../../components/monitoring/subjects/postgres";
import { redisWatched } from "../../../../components/monitoring/subjects/redis";
import { vaultWatched } from "../../../../components/monitoring/subjects/vault";
import { freePort } from "../../freePort";
import { localTool } from "../../localTool";
import { record } from "../recorder";
import { Scene, field, kindOf, one } from "../scene";
import { metricsOf } from "./promql";

/** Metrics that no alert asks for, by why there are such. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "Prometheus itself says which alerts there are": ["ALERTS"],
  "the exporter of Redis tells what INFO says": [
    "redis_commands_processed_total",
    "redis_connected_clients",
    "redis_connected_slaves",
    "redis_db_keys",
    "redis_evicted_keys_total",
    "redis_expired_keys_total",
    "redis_keyspace_hits_total",
    "redis_keyspace_misses_total",
    "redis_master_link_up",
    "redis_memory_max_bytes",
    "redis_memory_used_bytes",
    "redis_net_input_bytes_total",
    "redis_net_output_bytes_total",
  ],
  "the exporter of Postgres tells them of every database": [
    "pg_database_size_bytes",
    "pg_stat_database_blks_hit",
    "pg_stat_database_blks_read",
    "pg_stat_database_deadlocks",
    "pg_stat_database_xact_commit",
    "pg_stat_database_xact_rollback",
  ],
  // Those are held against the server itself by objectStoreServer.test.ts.
  "MinIO tells them at /minio/metrics/v3": [
    "minio_api_requests_4xx_errors_total",
    "minio_api_requests_traffic_received_bytes",
    "minio_api_requests_traffic_sent_bytes",
    "minio_system_process_resident_memory_bytes",
  ],
  "Vault tells them at /v1/sys/metrics": [
    "vault_core_active",
    "vault_core_handle_request_count",
    "vault_core_handle_request_sum",
    "vault_expire_num_leases",
    "vault_runtime_alloc_bytes",
  ],
  "the blackbox exporter tells them of every probe by http": ["probe_duration_seconds", "probe_http_status_code"],
  "the node exporter's collectors cpu, loadavg and pressure": [
    "node_cpu_seconds_total",
    "node_load1",
    "node_pressure_cpu_waiting_seconds_total",
    "node_pressure_io_waiting_seconds_total",
    "node_pressure_memory_waiting_seconds_total",
  ],
  // Those are held against the server itself by edgeServer.test.ts.
  "Traefik with metrics.prometheus": [
    "process_resident_memory_bytes",
    "traefik_entrypoint_request_duration_seconds_bucket",
    "traefik_entrypoint_requests_total",
    "traefik_open_connections",
    "traefik_service_requests_total",
  ],
};

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly expr: string }[] }[];
}

const expressions = DASHBOARDS.flatMap(({ panels }) => panels.flatMap(({ queries }) => Object.values(queries)));

/** What the alerts ask for, and all that kube-state-metrics is let tell. */
async function told(): Promise<{ alerts: string[]; state: string[] }> {
  const recording = await record(() => {
    const scene = new Scene();
    scene.services();
    const monitoring = scene.monitoring();
    const peer = { name: "p", namespace: "n", selector: { app: "p" } };
    monitoring.watch("vault", vaultWatched(peer, pulumi.output("n"), "PEM"));
    monitoring.watch("redis", redisWatched({ peer, port: 9121 }));
    monitoring.watch("postgres", postgresWatched({ peer, port: 9187, replicas: 2 }));
    monitoring.watch("object-store", objectStoreWatched({ peer, port: 9002, servers: 4 }));
  });
  const rules = recording.resources.filter((each) => kindOf(each) === "PrometheusRule");
  const specs = rules.map(({ inputs }) => inputs.spec as Rules);
  const state = one(recording, "Deployment", "cluster-kube-state-metrics-server");
  const flags = field(state, "spec.template.spec.containers.0.args") as string[];
  const allowed = flags.find((flag) => flag.startsWith("--metric-allowlist="))?.split("=")[1] ?? "";
  return {
    alerts: specs.flatMap(({ groups }) =>
      groups.flatMap((group) => group.rules.flatMap(({ expr }) => metricsOf(expr))),
    ),
    state: allowed.split(","),
  };
}

describe("dashboards", () => {
  it("ask for metrics that there are", async () => {
    const { alerts, state } = await told();
    assert.ok(alerts.includes("redis_up") && state.includes("kube_pod_status_phase"), "the test looks at nothing");
    const known = new Set([...alerts, ...state, ...Object.values(KNOWN).flat()]);
    const asked = new Set(expressions.flatMap(metricsOf));
    assert.ok(asked.size > 30);
    assert.deepEqual(
      [...asked].filter((metric) => !known.has(metric)),
      [],
    );
    const listed = [...state, ...alerts];
    for (const [why, metrics] of Object.entries(KNOWN))
      for (const metric of metrics) {
        assert.ok(asked.has(metric), `${metric} is asked for no more: ${why}`);
        assert.ok(!listed.includes(metric), `${metric} needs no reason`);
      }
  });

  it("ask kube-state-metrics for nothing that it is not let tell", async () => {
    const { state } = await told();
    const asked = expressions.flatMap(metricsOf).filter((metric) => metric.startsWith("kube_"));
    assert.deepEqual(
      asked.filter((metric) => !state.includes(metric)),
      [],
    );
  });

  it("have names, panels and queries of their own, each of which says what it shows", () => {
    const own = (values: readonly string[]): void => assert.equal(new Set(values).size, values.length);
    own(DASHBOARDS.map(({ uid }) => uid));
    own(DASHBOARDS.map(({ title }) => title));
    for (const { uid, panels } of DASHBOARDS) {
      assert.match(uid, /^[a-z]+$/);
      own(panels.map(({ title, shows }) => `${shows} ${title}`));
      for (const { title, queries } of panels) assert.ok(title && Object.keys(queries).length > 0, title);
    }
  });

  it("are what Grafana reads: every panel asks the one datasource, each query under a letter of its own", () => {
    for (const dashboard of DASHBOARDS) {
      const read = JSON.parse(dashboardJson(dashboard)) as {
        uid: string;
        editable: boolean;
        panels: { id: number; datasource: object; targets: { refId: string; expr: string; datasource: object }[] }[];
      };
      assert.deepEqual([read.uid, read.editable], [dashboard.uid, false]);
      assert.equal(new Set(read.panels.map(({ id }) => id)).size, dashboard.panels.length);
      for (const { targets, datasource } of read.panels) {
        assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length);
        for (const each of [{ datasource }, ...targets])
          assert.deepEqual(each.datasource, { type: "prometheus", uid: "prometheus" });
      }
      assert.deepEqual(
        read.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
        dashboard.panels.flatMap(({ queries }) => Object.values(queries)),
      );
    }
  });

  it("judge single values by colour, from the bound on that they are given", () => {
    const panels = [
      { title: "a", shows: "now", least: 1, queries: { a: "up" } },
      { title: "b", shows: "now", tooMuch: 3, queries: { b: "up" } },
    ] as const;
    const { panels: made } = JSON.parse(dashboardJson({ uid: "x", title: "X", panels })) as {
      panels: { fieldConfig: { defaults: { thresholds: { steps: { color: string; value: number | null }[] } } } }[];
    };
    assert.deepEqual(
      made.map(({ fieldConfig }) => fieldConfig.defaults.thresholds.steps.map(({ color, value }) => [color, value])),
      [
        [
          ["red", null],
          ["green", 1],
        ],
        [
          ["green", null],
          ["red", 3],
        ],
      ],
    );
  });

  it("lay their panels out side by side, and none over another", () => {
    for (const { panels } of DASHBOARDS) {
      const cells = layout(panels).flatMap(({ x, y, w, h }) => {
        assert.ok(x + w <= 24);
        return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`);
      });
      assert.equal(new Set(cells).size, cells.length);
    }
    const shapes = (["now", "now", "course", "course", "course"] as const).map((shows) => ({ shows }));
    assert.deepEqual(
      layout(shapes).map(({ x, y }) => [x, y]),
      [
        [0, 0],
        [6, 0],
        [0, 4],
        [12, 4],
        [0, 12],
      ],
    );
  });

  describe("asked of a Prometheus", () => {
    let dir: string;
    let server: ChildProcess | undefined;
    let address: string;
    before(async function () {
      const binary = localTool("prometheus");
      if (!binary) return this.skip();
      dir = fs.mkdtempSync(path.join(os.tmpdir(), "dashboards-"));
      fs.writeFileSync(path.join(dir, "prometheus.yaml"), "{}");
      address = `127.0.0.1:${await freePort()}`;
      const flags = [`--config.file=${dir}/prometheus.yaml`, `--storage.tsdb.path=${dir}/data`];
      server = spawn(binary, [...flags, `--web.listen-address=${address}`], { stdio: "ignore" });
      for (const end = Date.now() + 30_000; Date.now() < end; await sleep(100))
        if (
          await fetch(`http://${address}/-/ready`).then(
            ({ ok }) => ok,
            () => false,
          )
        )
          return;
      throw new Error("Prometheus does not get ready");
    });
    after(() => {
      server?.kill("SIGKILL");
      if (dir) fs.rmSync(dir, { recursive: true, force: true });
    });

    const judged = async (query: string): Promise<string> => {
      const body = new URLSearchParams({ query: query.replaceAll("$__rate_interval", "1m") });
      const answer = await fetch(`http://${address}/api/v1/query`, { method: "POST", body });
      const { status, error } = (await answer.json()) as { status: string; error?: string };
      return status === "success" ? "" : `${query}: ${error}`;
    };

    it("are understood", async () => {
      assert.deepEqual((await Promise.all(expressions.map(judged))).filter(Boolean), []);
      assert.match(await judged("rate(up[1m]"), /parse error/);
    });
  });
});

describe("the metrics of an expression", () => {
  it("are told from functions, labels, texts and words", () => {
    const expr =
      'sum by (pod, le) (rate(a_total{code=~"b_total|5.."}[$__rate_interval])) / on (c_total) group_left (d) (e:f > bool 0) or vector(0)';
    assert.deepEqual(metricsOf(expr), ["a_total", "e:f"]);
    assert.deepEqual(metricsOf('max_over_time(x{a="{b}"}[3m]) unless on (instance) absent(y) offset 5m'), ["x", "y"]);
  });
});
