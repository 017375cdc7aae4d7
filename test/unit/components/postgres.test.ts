import assert from "node:assert/strict";
import { serverDnsNames } from "../../../components/lib/serverNames";
import { parameters } from "../../../components/postgres/settings";
import { type Recording, SECRET, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

type Change = Parameters<Scene["postgres"]>[1];

const POD = "spec.template.spec";

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly ports?: readonly { readonly containerPort: number }[];
  readonly securityContext: { readonly runAsUser?: number };
  readonly readinessProbe?: object;
  readonly livenessProbe?: object;
  readonly volumeMounts: readonly { readonly name: string }[];
}

const made = (change: Change = {}): Promise<Recording> =>
  record(() => {
    const scene = new Scene();
    const postgres = scene.postgres("postgres", change);
    postgres.connect({ name: "web", namespace: "dev-apps", selector: { app: "web" } }, scene.opts);
    return { secret: postgres.clientSecret("web", "dev-apps") };
  });

const containers = (recording: Recording): Container[] =>
  field(one(recording, "StatefulSet", "postgres-server"), `${POD}.containers`) as Container[];
const container = (recording: Recording, name: string): Container =>
  containers(recording).find((each) => each.name === name) as Container;
const fileOf = (recording: Recording, file: string): string =>
  (one(recording, "ConfigMap", "postgres-files").inputs.data as Record<string, string>)[file] ?? "";
const kept = (recording: Recording, path: string): unknown =>
  JSON.parse(one(recording, "SecretV2", `vault-postgres-${path}`).opened.dataJson as string);
const template = (recording: Recording, name: string): unknown =>
  field(one(recording, "ExternalSecret", `vault-${name}-sync`), "spec.target.template.data");

describe("Postgres", () => {
  let single: Recording;
  before(async () => (single = await made()));

  it("gives an application what every client of libpq understands, the password from Vault only", () => {
    assert.equal(single.outputs.secret, "web-postgres");
    assert.deepEqual(template(single, "web-postgres"), {
      PGHOST: "postgres.dev-data.svc.cluster.local",
      PGPORT: "5432",
      PGDATABASE: "web",
      PGUSER: "web",
      PGPASSWORD: "{{ .web }}",
      PGSSLMODE: "verify-full",
      PGSSLROOTCERT: "/etc/postgres/ca.crt",
    });
    assert.deepEqual(kept(single, "web"), { web: "generated-postgres-web-password" });
    const policy = one(single, "Policy", "vault-web-postgres-policy").inputs.policy as string;
    assert.deepEqual(policy.match(/path "[^"]*"/g), ['path "kv/data/postgres/web"']);
    assert.equal(one(single, "SecretV2", "vault-postgres-web").inputs.dataJson, SECRET);
  });

  it("has nothing for an application that it was not told of", async () => {
    const asking = record(() => void new Scene().postgres().clientSecret("other", "dev-apps"));
    await assert.rejects(asking, /"other" has no database here: web, my-shop has/);
  });

  it("tells its servers of each login by a file, whose name says what is no secret", () => {
    assert.deepEqual(template(single, "postgres-logins"), {
      admin: "{{ .admin }}",
      "web.web.10": "{{ .web }}",
      "my_shop.orders.5": "{{ .my_shop }}",
    });
    assert.deepEqual(kept(single, "admin"), { admin: "generated-postgres-admin-password" });
  });

  it("takes up an application without a change of its pods", async () => {
    const more = await made({ databases: { ...new Scene().databases, late: { database: "late", connections: 1 } } });
    const pods = (recording: Recording): unknown => one(recording, "StatefulSet", "postgres-server").inputs;
    assert.deepEqual(pods(more), pods(single));
    assert.deepEqual(
      one(more, "ConfigMap", "postgres-files").inputs,
      one(single, "ConfigMap", "postgres-files").inputs,
    );
    assert.notDeepEqual(template(more, "postgres-logins"), template(single, "postgres-logins"));
  });

  it("[002.5] has the administrator's login in the environment of the server", () => {
    assert.deepEqual(container(single, "postgres").env, [
      { name: "MODE", value: "single" },
      { name: "ADMIN_USERNAME", value: "admin" },
      { name: "ADMIN_PASSWORD", valueFrom: { secretKeyRef: { name: "postgres-logins", key: "admin" } } },
    ]);
  });

  it("lets in over the network by TLS and password only, and its own people by the socket of the pod", () => {
    const lines = fileOf(single, "pg_hba.conf")
      .split("\n")
      .map((line) => line.split(/\s+/));
    for (const [type, , user, ...how] of lines.filter(([type]) => type)) {
      if (type === "local") assert.match(how.join(" "), /^peer map=pod$/, user);
      else assert.match(`${type} ${how.join(" ")}`, /^hostssl \S+ (scram-sha-256|reject)$/, user);
    }
    assert.match(fileOf(single, "postgresql.conf"), /^ssl = 'on'$/m);
    assert.match(fileOf(single, "postgresql.conf"), /^password_encryption = 'scram-sha-256'$/m);
  });

  it("divides its memory and its volume so that neither runs out", () => {
    const { shared_buffers, max_wal_size, min_wal_size, max_connections } = parameters({
      memory: "1Gi",
      storage: "2Gi",
      connections: 70,
    });
    assert.deepEqual([shared_buffers, max_wal_size, min_wal_size, max_connections], ["256MB", "512MB", "80MB", "70"]);
    assert.equal(parameters({ memory: "1Gi", storage: "100Gi", connections: 70 }).max_wal_size, "1024MB");
    const claim = "spec.volumeClaimTemplates.0.spec.resources.requests.storage";
    assert.equal(field(one(single, "StatefulSet", "postgres-server"), claim), "2Gi");
    assert.equal(
      field(one(single, "StatefulSet", "postgres-server"), `${POD}.containers.0.resources.limits.memory`),
      "512Mi",
    );
  });

  it("has a certificate of the platform's for the names that its clients use", () => {
    const certificate = one(single, "Certificate", "postgres-tls");
    assert.deepEqual(field(certificate, "spec.dnsNames"), serverDnsNames("postgres", "dev-data"));
  });

  it("opens its port to whoever connects to it, on both sides, and nothing else", () => {
    const ports = ["spec.ingress", "spec.egress"].map((way) => {
      const side = way.endsWith("ingress") ? "ingress" : "egress";
      return field(one(single, "NetworkPolicy", `web-to-postgres-${side}`), `${way}.0.ports`);
    });
    assert.deepEqual(ports, [[{ protocol: "TCP", port: 5432 }], [{ protocol: "TCP", port: 5432 }]]);
    assert.deepEqual(
      names(single, "NetworkPolicy").filter((name) => name.includes("postgres")),
      ["web-to-postgres-egress", "web-to-postgres-ingress"],
    );
  });

  it("is ready once it serves and everybody has a login, and alive while it answers", () => {
    assert.deepEqual(
      containers(single).map(({ name, readinessProbe, livenessProbe }) => [name, !!readinessProbe, !!livenessProbe]),
      [
        ["postgres", true, true],
        ["keeper", true, false],
        ["exporter", false, true],
      ],
    );
  });

  it("runs one server without a disruption budget, which would only keep its node from being drained", () => {
    assert.equal(field(one(single, "StatefulSet", "postgres-server"), "spec.replicas"), 1);
    assert.deepEqual(names(single, "PodDisruptionBudget"), []);
  });

  it("has an exporter where it is given the image, which comes by the socket as a user of its own and holds no password", async () => {
    const exporter = container(single, "exporter");
    assert.deepEqual(exporter.ports, [{ name: "metrics", containerPort: 9187 }]);
    assert.equal(exporter.securityContext.runAsUser, 65534);
    assert.equal(exporter.env[0]?.value, "host=/run/postgresql user=exporter dbname=postgres sslmode=disable");
    assert.deepEqual(
      exporter.volumeMounts.map(({ name }) => name),
      ["files", "socket"],
    );
    const without = await made({ exporterImage: undefined });
    assert.ok(!containers(without).some(({ name }) => name === "exporter"));
    await record(() => void assert.equal(new Scene().postgres().metrics.port, 9187));
  });
});

describe("Postgres with copies", () => {
  let copied: Recording;
  before(async () => (copied = await made({ mode: "replicated", replicas: 2, spread: "hard" })));

  const server = (path: string): unknown => field(one(copied, "StatefulSet", "postgres-server"), path);
  const yaml = (file: string): Record<string, Record<string, unknown>> =>
    JSON.parse(fileOf(copied, file)) as Record<string, Record<string, unknown>>;

  it("has the same interface for its clients, whom its Service leads to where writes are taken", () => {
    const primary = field(one(copied, "Service", "postgres-service"), "spec.selector") as Record<string, string>;
    assert.equal(primary.role, "master");
    const nodes = one(copied, "Service", "postgres-nodes");
    assert.equal((field(nodes, "spec.selector") as Record<string, string>).role, undefined);
    assert.equal(field(nodes, "spec.publishNotReadyAddresses"), true);
    assert.equal(
      (template(copied, "web-postgres") as Record<string, string>).PGHOST,
      "postgres.dev-data.svc.cluster.local",
    );
  });

  it("confirms nothing that one server alone has, and lets nobody else succeed", () => {
    for (const wanted of [yaml("dynamic.json"), yaml("bootstrap.yml").bootstrap?.dcs as Record<string, unknown>]) {
      const { synchronous_mode, synchronous_mode_strict, failsafe_mode, ttl, loop_wait, retry_timeout } = wanted;
      assert.deepEqual([synchronous_mode, synchronous_mode_strict, failsafe_mode], [true, true, true]);
      // Patroni's own condition: who cannot renew the lease has stopped before it ends.
      assert.ok(Number(loop_wait) + 2 * Number(retry_timeout) <= Number(ttl));
    }
  });

  it("runs its servers as one user, each known by a name of its own, at most one away at a time", () => {
    assert.equal(server("spec.replicas"), 3);
    assert.deepEqual(names(copied, "PodDisruptionBudget"), ["postgres-budget"]);
    assert.equal(server(`${POD}.topologySpreadConstraints.0.whenUnsatisfiable`), "DoNotSchedule");
    const env = Object.fromEntries(container(copied, "postgres").env.map(({ name, value }) => [name, value]));
    const host = "$(POD).postgres-nodes.dev-data.svc.cluster.local";
    assert.equal(env.PATRONI_POSTGRESQL_CONNECT_ADDRESS, `${host}:5432`);
    assert.equal(env.PATRONI_RESTAPI_CONNECT_ADDRESS, `${host}:8008`);
    assert.match(fileOf(copied, "passwd"), /^postgres:x:999:999:/m);
  });

  it("may see the pods of its namespace and keep its own records, and make nothing", () => {
    const rules = field(one(copied, "Role", "postgres-role"), "rules") as Record<string, string[]>[];
    assert.deepEqual(rules, [
      { apiGroups: [""], resources: ["pods", "configmaps"], verbs: ["list", "watch"] },
      {
        apiGroups: [""],
        resources: ["pods"],
        resourceNames: ["postgres-0", "postgres-1", "postgres-2"],
        verbs: ["get", "patch"],
      },
      {
        apiGroups: [""],
        resources: ["configmaps"],
        resourceNames: ["postgres-config", "postgres-leader", "postgres-sync", "postgres-failover"],
        verbs: ["get", "patch"],
      },
    ]);
    const records = names(copied, "ConfigMap").filter(
      (name) => !name.endsWith("-files") && name.startsWith("postgres"),
    );
    assert.deepEqual(records.sort(), ["postgres-config", "postgres-failover", "postgres-leader", "postgres-sync"]);
  });

  it("finds its pods and its records by labels that these have", () => {
    const { scope, kubernetes } = yaml("patroni.yml") as unknown as {
      scope: string;
      kubernetes: { scope_label: string; labels: Record<string, string> };
    };
    const wanted = { ...kubernetes.labels, [kubernetes.scope_label]: scope };
    const labelsOf = (path: string, ...[kind, name]: [string, string]): Record<string, string> =>
      field(one(copied, kind, name), path) as Record<string, string>;
    for (const labels of [
      labelsOf("spec.template.metadata.labels", "StatefulSet", "postgres-server"),
      labelsOf("metadata.labels", "ConfigMap", "postgres-leader"),
    ])
      for (const [key, value] of Object.entries(wanted)) assert.equal(labels[key], value, key);
  });

  it("shows its token to the server's container only", () => {
    assert.equal(server(`${POD}.automountServiceAccountToken`), false);
    assert.equal(server(`${POD}.serviceAccountName`), "postgres");
    assert.deepEqual(
      containers(copied)
        .filter(({ volumeMounts }) => volumeMounts.some(({ name }) => name === "token"))
        .map(({ name }) => name),
      ["postgres"],
    );
    assert.equal(field(one(copied, "ServiceAccount", "postgres-account"), "automountServiceAccountToken"), false);
  });

  it("opens between its servers what they need, and the way to the API server", () => {
    const own = names(copied, "NetworkPolicy").filter((name) => name.startsWith("postgres"));
    assert.deepEqual(own, ["postgres-to-api-server", "postgres-to-postgres-egress", "postgres-to-postgres-ingress"]);
    const ports = field(one(copied, "NetworkPolicy", "postgres-to-postgres-ingress"), "spec.ingress.0.ports");
    assert.deepEqual(ports, [
      { protocol: "TCP", port: 5432 },
      { protocol: "TCP", port: 8008 },
    ]);
  });

  it("keeps the servers' passwords apart from those of people and applications", () => {
    assert.deepEqual(Object.keys(kept(copied, "servers") as object), ["replicator", "rewinder"]);
    const files = Object.keys(template(copied, "postgres-logins") as object);
    assert.deepEqual(files.sort(), ["admin", "my_shop.orders.5", "replicator", "rewinder", "web.web.10"]);
  });

  it("lets copies follow over TLS and by password only", () => {
    assert.match(fileOf(copied, "pg_hba.conf"), /^hostssl replication +replicator all +scram-sha-256$/m);
    const { authentication } = yaml("patroni.yml").postgresql as {
      authentication: Record<string, { sslmode?: string }>;
    };
    assert.deepEqual(
      ["replication", "rewind"].map((who) => authentication[who]?.sslmode),
      ["verify-full", "verify-full"],
    );
  });
});

describe("a Postgres of somebody else's", () => {
  const external = (change: Parameters<Scene["externalPostgres"]>[0] = {}): Promise<Recording> =>
    record(() => {
      const scene = new Scene();
      scene.app("web", { postgres: scene.externalPostgres(change) });
    });

  it("[002.22] is reached at its addresses and port, and nowhere else", async () => {
    const recording = await external();
    assert.deepEqual(
      names(recording, "NetworkPolicy").filter((name) => name.startsWith("web-")),
      ["web-to-postgres"],
    );
    assert.deepEqual(field(one(recording, "NetworkPolicy", "web-to-postgres"), "spec"), {
      podSelector: { matchLabels: { "app.kubernetes.io/name": "web", "app.kubernetes.io/component": "app" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "203.0.113.7/32" } }], ports: [{ protocol: "TCP", port: 6432 }] }],
    });
  });

  it("tells an application the same as our own would, with the login that Vault has been given", async () => {
    const recording = await external();
    assert.deepEqual(template(recording, "web-postgres"), {
      PGHOST: "db.example.com",
      PGPORT: "6432",
      PGDATABASE: "web",
      PGUSER: "{{ .username }}",
      PGPASSWORD: "{{ .password }}",
      PGSSLMODE: "verify-full",
      PGSSLROOTCERT: "/etc/ssl/certs/ca-certificates.crt",
    });
    const policy = one(recording, "Policy", "vault-web-postgres-policy").inputs.policy as string;
    assert.deepEqual(policy.match(/path "[^"]*"/g), ['path "kv/data/postgres/web"']);
    assert.deepEqual(names(recording, "SecretV2"), []);
  });

  it("is trusted by the certificate it is given, else by those that everybody trusts", async () => {
    const trusting = await external({ ca: "PEM" });
    assert.deepEqual(one(trusting, "ConfigMap", "web-trusted").inputs.data, { "ca.crt": "PEM" });
    assert.equal((template(trusting, "web-postgres") as Record<string, string>).PGSSLROOTCERT, "/etc/postgres/ca.crt");
    assert.deepEqual(
      names(await external(), "ConfigMap").filter((name) => name.startsWith("web")),
      [],
    );
  });
});
