import assert from "node:assert/strict";
import { serverDnsNames } from "../../../components/lib/serverNames";
import { usersOf } from "../../../components/redisCluster/settings";
import { type Recording, SECRET, record } from "./recorder";
import { Scene, field, names, one } from "./scene";

type Change = Parameters<Scene["redis"]>[1];

const SENTINEL = { mode: "sentinel", replicas: 2 } as const;
const CLUSTER = { mode: "cluster", masters: 3, replicas: 1 } as const;

const made = (change: Change): Promise<Recording> =>
  record(() => {
    const redis = new Scene().redis("redis", { secrets: undefined, ...change });
    return { ...redis.connection, secret: redis.clientSecret("web", "dev-apps") };
  });
const POD = "spec.template.spec";

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: unknown; readonly valueFrom?: unknown }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe?: { readonly httpGet?: object };
  readonly readinessProbe?: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}
const containers = (recording: Recording): Container[] =>
  field(one(recording, "StatefulSet"), `${POD}.containers`) as Container[];
const fileOf = (recording: Recording, file: string): string =>
  (one(recording, "ConfigMap").inputs.data as Record<string, string>)[file] ?? "";

describe("RedisCluster", () => {
  let single: Recording;
  let sentinel: Recording;
  let cluster: Recording;
  before(async () => {
    single = await made({ memory: "100Mi", storage: "3Gi" });
    sentinel = await made(SENTINEL);
    cluster = await made({ ...CLUSTER, spread: "hard" });
  });
  const each = (): Recording[] => [single, sentinel, cluster];

  it("gives its clients one interface in each mode, with the password as a secret only", () => {
    const common = { REDIS_HOST: "redis.dev-data.svc.cluster.local", REDIS_USERNAME: "app" };
    const settings = [
      { ...common, REDIS_MODE: "standalone", REDIS_PORT: "6379" },
      { ...common, REDIS_MODE: "sentinel", REDIS_PORT: "26379", REDIS_SENTINEL_NAME: "redis" },
      { ...common, REDIS_MODE: "cluster", REDIS_PORT: "6379" },
    ];
    for (const [index, recording] of each().entries()) {
      const { secret, ...shown } = recording.outputs;
      assert.deepEqual(shown, settings[index]);
      assert.equal(secret, "redis-web-client-auto");
      const { opened, inputs } = one(recording, "Secret", "redis-web-client");
      assert.equal(inputs.stringData, SECRET);
      assert.deepEqual(opened.stringData, { ...shown, REDIS_PASSWORD: "generated-redis-password" });
    }
  });

  it("keeps every password in one Secret, a key for each user, and what clients need in theirs", () => {
    const modes = ["standalone", "sentinel", "cluster"] as const;
    for (const [index, recording] of each().entries()) {
      const secret = one(recording, "Secret", "redis-passwords");
      assert.equal(secret.inputs.stringData, SECRET);
      assert.deepEqual(
        Object.keys(secret.opened.stringData as object).sort(),
        usersOf(modes[index] ?? "standalone").sort(),
      );
      assert.ok(!JSON.stringify(recording.resources.map(({ inputs }) => inputs)).includes("generated-"));
    }
  });

  it("keeps its passwords in Vault where it is given one, and its clients read the one that is theirs", async () => {
    const recording = await record(() => void new Scene().redis("redis", SENTINEL).clientSecret("web", "dev-apps"));
    assert.deepEqual(names(recording, "Secret"), []);
    const kept = (path: string): unknown =>
      JSON.parse(one(recording, "SecretV2", `vault-redis-${path}`).opened.dataJson as string);
    assert.deepEqual(kept("app"), { app: "generated-redis-password" });
    assert.deepEqual(
      Object.keys(kept("servers") as object).sort(),
      usersOf("sentinel")
        .filter((user) => user !== "app")
        .sort(),
    );
    const policy = one(recording, "Policy", "vault-web-redis-policy").inputs.policy as string;
    assert.deepEqual(policy.match(/path "[^"]*"/g), ['path "kv/data/redis/app"']);
    const template = field(one(recording, "ExternalSecret", "vault-web-redis-sync"), "spec.target.template.data");
    assert.equal((template as Record<string, string>).REDIS_PASSWORD, "{{ .app }}");
    const volumes = field(one(recording, "StatefulSet", "redis-server"), `${POD}.volumes`) as {
      name: string;
      secret?: object;
    }[];
    assert.deepEqual(volumes.find(({ name }) => name === "passwords")?.secret, {
      secretName: "redis-passwords",
      defaultMode: 0o440,
    });
  });

  it("turns the default user off without taking the rights to read the file back, and lets its own neither administrate nor endanger", () => {
    for (const recording of each()) {
      const users = fileOf(recording, "users.acl");
      assert.match(users, /^user default off ~\* &\* \+@all$/m);
      assert.match(users, /^user app ~\* &\* \+@all -@admin -@dangerous/m);
      const others = users.split("\n").filter((line) => /^user (?!default|app)/.test(line));
      for (const line of others) assert.doesNotMatch(line, /\+@|allcommands|nopass/, line);
    }
    assert.match(fileOf(sentinel, "sentinel-users.acl"), /^user default off /m);
  });

  it("keeps its data on volumes of its own, in append-only files", () => {
    const claim = "spec.volumeClaimTemplates.0.spec.resources.requests.storage";
    assert.equal(field(one(single, "StatefulSet"), claim), "3Gi");
    for (const recording of each()) assert.match(fileOf(recording, "redis.conf"), /^appendonly yes$/m);
  });

  it("refuses writes before its memory runs out, and never drops what it holds", () => {
    assert.match(fileOf(single, "redis.conf"), new RegExp(`^maxmemory ${60 * 2 ** 20}$`, "m"));
    assert.match(fileOf(single, "redis.conf"), /^maxmemory-policy noeviction$/m);
    assert.equal(field(one(single, "StatefulSet"), `${POD}.containers.0.resources.limits.memory`), "100Mi");
  });

  it("wants a replica to have each write where more than one could", async () => {
    const guarded = /^min-replicas-to-write 1\nmin-replicas-max-lag 10$/m;
    assert.deepEqual(
      each().map((recording) => guarded.test(fileOf(recording, "redis.conf"))),
      [false, true, false],
    );
    assert.match(fileOf(await made({ ...CLUSTER, replicas: 2 }), "redis.conf"), guarded);
  });

  it("runs as many servers as the mode asks for, with what must stand beside them", () => {
    assert.deepEqual(
      each().map((recording) => [
        field(one(recording, "StatefulSet"), "spec.replicas"),
        containers(recording).map(({ name }) => name),
        names(recording, "PodDisruptionBudget"),
      ]),
      [
        [1, ["redis"], []],
        [3, ["redis", "sentinel", "keeper"], ["redis-budget"]],
        [6, ["redis", "keeper"], ["redis-budget"]],
      ],
    );
  });

  it("hands over before a pod stops, and leaves it the time", () => {
    for (const recording of [sentinel, cluster]) {
      const server = one(recording, "StatefulSet");
      const stop = field(server, `${POD}.containers.0.lifecycle.preStop.exec.command`);
      assert.deepEqual(stop, ["sh", "/etc/redis/stop.sh"]);
      assert.ok((field(server, `${POD}.terminationGracePeriodSeconds`) as number) >= 60);
      assert.ok(fileOf(recording, "stop.sh").length > 0);
    }
  });

  it("spreads its pods over the nodes as the profile says", () => {
    const rule = `${POD}.topologySpreadConstraints.0.whenUnsatisfiable`;
    assert.equal(field(one(cluster, "StatefulSet"), rule), "DoNotSchedule");
    assert.equal(field(one(sentinel, "StatefulSet"), rule), "ScheduleAnyway");
  });

  it("opens between its pods the ports they need, and no other", () => {
    const ports = (recording: Recording): unknown[] =>
      recording.resources
        .filter(({ type }) => type.endsWith(":NetworkPolicy"))
        .flatMap((policy) => field(policy, "spec.ingress.0.ports.0.port") ?? []);
    assert.deepEqual(each().map(ports), [[], [6379, 26379], [6379, 16379, 6379]]);
  });

  it("grows and shrinks without a restart: the pods do not know how many they are", async () => {
    const larger = await made({ ...CLUSTER, masters: 4, spread: "hard" });
    const template = (recording: Recording): unknown => field(one(recording, "StatefulSet"), "spec.template");
    assert.deepEqual(template(larger), template(cluster));
    assert.deepEqual(one(larger, "ConfigMap").inputs, one(cluster, "ConfigMap").inputs);
    assert.equal(field(one(larger, "StatefulSet"), "spec.replicas"), 8);
  });

  it("empties pods before the servers become fewer, and fills them after they became more", () => {
    const command = (name: string): unknown => field(one(cluster, "Job", name), `${POD}.containers.0.command`);
    assert.deepEqual(command("redis-shrink"), ["sh", "/etc/redis/resize.sh", "shrink", "3", "1"]);
    assert.deepEqual(command("redis-grow"), ["sh", "/etc/redis/resize.sh", "grow", "3", "1"]);
    const server = one(cluster, "StatefulSet");
    assert.ok(server.dependencies.includes(one(cluster, "Job", "redis-shrink").urn));
    assert.ok(one(cluster, "Job", "redis-grow").dependencies.includes(server.urn));
    assert.deepEqual([names(single, "Job"), names(sentinel, "Job")], [[], []]);
  });

  it("uses TLS where there is an authority, with a certificate of its issuer, and tells its clients", async () => {
    for (const mode of [{}, SENTINEL, CLUSTER]) {
      const exporterImage = "registry.example/exporter:1@sha256:5";
      const recording = await made({ ...mode, authority: "the authority", exporterImage });
      assert.deepEqual(field(one(recording, "Certificate"), "spec.dnsNames"), serverDnsNames("redis", "dev-data"));
      assert.equal(recording.outputs.REDIS_TLS, "true");
      assert.equal(recording.outputs.REDIS_CA, "the authority");
      for (const { name, volumeMounts, env = [] } of containers(recording)) {
        assert.ok(
          volumeMounts.some(({ mountPath }) => mountPath === "/etc/redis-tls"),
          name,
        );
        const told = name === "exporter" ? "REDIS_EXPORTER_TLS_CA_CERT_FILE" : "TLS";
        assert.ok(
          env.some((variable) => variable.name === told),
          name,
        );
      }
    }
  });

  it("names what a certificate must hold", () => {
    assert.deepEqual(serverDnsNames("redis", "dev-data"), [
      "redis",
      "redis.dev-data",
      "redis.dev-data.svc",
      "redis.dev-data.svc.cluster.local",
      "*.redis-nodes.dev-data.svc.cluster.local",
      "localhost",
    ]);
  });

  it("has an exporter in each mode where it is given the image, with a login of its own, on the port that is watched", async () => {
    for (const mode of [{}, SENTINEL, CLUSTER]) {
      const exporter = containers(await made({ ...mode, exporterImage: "registry.example/exporter:1@sha256:5" })).at(
        -1,
      );
      assert.equal(exporter?.name, "exporter");
      assert.deepEqual(exporter.env?.find(({ name }) => name === "REDIS_PASSWORD")?.valueFrom, {
        secretKeyRef: { name: "redis-passwords-auto", key: "exporter" },
      });
      assert.deepEqual(exporter.ports, [{ name: "metrics", containerPort: 9121 }]);
      assert.deepEqual(exporter.livenessProbe?.httpGet, { path: "/health", port: "metrics" });
      assert.equal(exporter.readinessProbe, undefined);
    }
    await record(() => void assert.equal(new Scene().redis().metrics.port, 9121));
    assert.ok(!containers(single).some(({ name }) => name === "exporter"));
  });
});
