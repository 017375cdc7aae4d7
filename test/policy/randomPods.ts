import fc from "fast-check";
import { amounts } from "./manifests";

/** Random pod templates as the API server lets them in: sound types, and every field that a rule looks at. */

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq: 2 });
const one = <T>(...values: T[]): fc.Arbitrary<T | undefined> => maybe(fc.constantFrom(...values));
const some = <T>(...values: T[]): fc.Arbitrary<T[] | undefined> => maybe(fc.subarray(values));

const profile = maybe(fc.record({ type: fc.constantFrom("RuntimeDefault", "Localhost", "Unconfined") }));
const contexts = {
  runAsNonRoot: one(true, true, false),
  runAsUser: one(0, 1000),
  seccompProfile: profile,
  appArmorProfile: profile,
  seLinuxOptions: maybe(
    fc.record({
      type: one("", "container_t", "container_engine_t", "spc_t"),
      user: one("", "root"),
      role: one("", "r"),
    }),
  ),
  windowsOptions: maybe(fc.record({ hostProcess: one(true, false) })),
};
const ofContainer = maybe(
  fc.record({
    ...contexts,
    privileged: one(true, false),
    allowPrivilegeEscalation: one(true, false, false),
    readOnlyRootFilesystem: one(true, true, false),
    procMount: one("Default", "Unmasked"),
    capabilities: maybe(
      fc.record({
        add: some("NET_BIND_SERVICE", "CHOWN", "SYS_ADMIN", "NET_RAW"),
        drop: some("ALL", "KILL"),
      }),
    ),
  }),
);

const resourceList = maybe(
  fc
    .tuple(fc.constantFrom("0", "50m", "100m", "1", "2.5", "6"), fc.constantFrom("0", "64Mi", "1Gi", "128M", "512Mi"))
    .map(([cpu, memory]) => amounts(cpu, memory)),
);
const resources = maybe(fc.record({ requests: resourceList, limits: resourceList }));

const handler = fc.oneof(
  fc.record({
    httpGet: fc.record({ port: fc.constantFrom<unknown>(8080, "http", "9090", "gone"), host: one("", "a.example") }),
  }),
  fc.record({
    tcpSocket: fc.record({ port: fc.constantFrom<unknown>(8080, "http", "none"), host: one("", "10.0.0.1") }),
  }),
);
const DIGEST = `@sha256:${"0".repeat(64)}`;
const image = fc.constantFrom(
  "web",
  "web:latest",
  "web:1.2.3",
  `web:1.2.3${DIGEST}`,
  `web:latest${DIGEST}`,
  `registry.example/web${DIGEST}`,
  "registry.example:5000/web",
  "registry.example/web:stable",
  `quay.io/web:1${DIGEST}`,
  `localhost/web:1${DIGEST}`,
  "team/web:main",
);
const words = fc.constantFrom("sleep 5", "sleep 45", "echo; sleep 30", "nosleep 90", "sleep 31; kill 1", "sleep x");

const container = (names: readonly string[]): fc.Arbitrary<object> =>
  fc.record({
    name: fc.constantFrom(...names),
    image,
    securityContext: ofContainer,
    resources,
    ports: maybe(
      fc.array(fc.record({ name: one("http", "metrics"), containerPort: fc.constant(8080), hostPort: one(0, 80) }), {
        maxLength: 2,
      }),
    ),
    livenessProbe: maybe(handler),
    readinessProbe: maybe(handler),
    startupProbe: maybe(handler),
    lifecycle: maybe(
      fc.record({
        postStart: maybe(handler),
        preStop: maybe(
          fc.oneof(
            handler,
            fc.record({ sleep: fc.record({ seconds: fc.constantFrom(0, 10, 60) }) }),
            fc.record({ exec: fc.record({ command: words.map((script) => ["sh", "-c", script]) }) }),
          ),
        ),
      }),
    ),
    restartPolicy: one("Always"),
  });

const VOLUMES = ["hostPath", "nfs", "emptyDir", "secret", "configMap", "iscsi", "projected"] as const;
const volume = fc.oneof(
  fc.constantFrom(...VOLUMES).map((type) => ({ name: "v", [type]: {} })),
  fc.constant({ name: "v" }),
  image.map((reference) => ({ name: "v", image: { reference } })),
);

const SELECTORS = [
  {},
  { matchLabels: { app: "web" } },
  { matchLabels: { app: "other" } },
  { matchExpressions: [{ key: "app", operator: "In", values: ["web", "x"] }] },
  { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] },
  { matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] },
  { matchExpressions: [{ key: "tier", operator: "Exists" }] },
];
const term = fc.record({ topologyKey: fc.constant("kubernetes.io/hostname"), labelSelector: one(...SELECTORS) });

export const podTemplate = fc.record({
  metadata: fc.record({
    labels: fc.constantFrom({ app: "web" }, { tier: "front" }),
    annotations: one<Record<string, string>>(
      { "container.apparmor.security.beta.kubernetes.io/a": "unconfined" },
      { "container.apparmor.security.beta.kubernetes.io/a": "localhost/p" },
      { other: "unconfined" },
    ),
  }),
  spec: fc.record({
    securityContext: maybe(
      fc.record({
        ...contexts,
        sysctls: maybe(
          fc
            .subarray(["kernel.shm_rmid_forced", "net.ipv4.tcp_rmem", "kernel.msgmax"])
            .map((names) => names.map((name) => ({ name, value: "1" }))),
        ),
      }),
    ),
    hostNetwork: one(true, false),
    hostPID: one(true, false),
    hostIPC: one(true, false),
    hostUsers: one(true, false),
    os: one({ name: "windows" }, { name: "linux" }),
    restartPolicy: one("Always", "Never", "OnFailure"),
    terminationGracePeriodSeconds: one(0, 30, 60, 120),
    resources,
    containers: fc.array(container(["a", "b"]), { minLength: 1, maxLength: 2 }),
    initContainers: maybe(fc.array(container(["i"]), { maxLength: 1 })),
    ephemeralContainers: maybe(fc.array(container(["e"]), { maxLength: 1 })),
    volumes: maybe(fc.array(volume, { maxLength: 2 })),
    topologySpreadConstraints: maybe(fc.array(term, { maxLength: 2 })),
    affinity: maybe(
      fc.record({
        podAntiAffinity: fc.record({
          requiredDuringSchedulingIgnoredDuringExecution: maybe(fc.array(term, { maxLength: 1 })),
          preferredDuringSchedulingIgnoredDuringExecution: maybe(
            fc.array(fc.record({ weight: fc.constant(1), podAffinityTerm: term }), { maxLength: 1 }),
          ),
        }),
      }),
    ),
  }),
});
