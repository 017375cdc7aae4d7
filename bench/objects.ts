import { labels, selector } from "../components/lib/labels";
import { whenReady, whileAlive } from "../components/lib/probes";
import { SKIP_AWAIT, containerSecurity, podSecurity } from "../components/lib/security";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** The states that every contender brings the server to, in this order. */
export interface ObjectSets {
  readonly base: readonly KubernetesObject[];
  /** One field of one object differs from `base`. */
  readonly one: readonly KubernetesObject[];
  /** Every tenth object differs from `one`. */
  readonly tenth: readonly KubernetesObject[];
  /** Every tenth object of `tenth` is left out. */
  readonly pruned: readonly KubernetesObject[];
}

export const NAMESPACES = ["bench-0", "bench-1", "bench-2", "bench-3", "bench-4"] as const;
const SLICE = 10;
const PORT = 8080;
const IMAGE = `registry.example.test/app@sha256:${"0".repeat(64)}`;

/** On a bare API server nothing becomes ready and nothing collects garbage: no tool is to wait for either. */
const ANNOTATIONS = { ...SKIP_AWAIT, "pulumi.com/deletionPropagationPolicy": "background" };

/** `count` objects in slices of ten, each what one application of the platform has. */
export function objectSets(count: number): ObjectSets {
  const slices = Array.from({ length: Math.ceil(count / SLICE) }, (_, index) => index);
  const first = (setting: string): KubernetesObject[] =>
    slices.flatMap((index) => slice(index, index === 0 ? setting : "1")).slice(0, count);
  const one = first("2");
  const tenth = one.map((object, index) => (isTenth(index) ? annotated(object) : object));
  return { base: first("1"), one, tenth, pruned: tenth.filter((_, index) => !isFree(index)) };
}

/** Another kind in each slice. */
const isTenth = (index: number): boolean => index % SLICE === Math.floor(index / SLICE) % SLICE;

/** In each slice one of those that the others do without: a page, a way from the edge, a role's binding. */
const FREE = [4, 6, 8];
const isFree = (index: number): boolean => index % SLICE === FREE[Math.floor(index / SLICE) % FREE.length];

const annotated = (object: KubernetesObject): KubernetesObject => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, "bench/revision": "2" } },
});

function slice(index: number, setting: string): KubernetesObject[] {
  const name = `app-${index}`;
  const identity = { environment: "bench", component: "app", name };
  const namespace = NAMESPACES[index % NAMESPACES.length] ?? NAMESPACES[0];
  const matchLabels = selector(identity);
  const object = (apiVersion: string, kind: string, suffix: string, rest: object): KubernetesObject => ({
    apiVersion,
    kind,
    metadata: { name: `${name}${suffix}`, namespace, labels: labels(identity), annotations: ANNOTATIONS },
    ...rest,
  });
  const peers = [{ podSelector: { matchLabels: { "app.kubernetes.io/component": "edge" } } }];
  const ports = [{ port: PORT, protocol: "TCP" }];
  return [
    object("apps/v1", "Deployment", "", { spec: deployment(name, labels(identity), matchLabels, setting) }),
    object("v1", "Service", "", {
      spec: { type: "ClusterIP", selector: matchLabels, ports: [{ name: "http", port: 80, targetPort: PORT }] },
    }),
    object("v1", "ServiceAccount", "", { automountServiceAccountToken: false }),
    object("v1", "ConfigMap", "-settings", { data: { "settings.json": JSON.stringify(settings(index), null, 2) } }),
    object("v1", "ConfigMap", "-page", {
      data: { "index.html": `<title>${name}</title>\n${"<p>page</p>\n".repeat(20)}` },
    }),
    object("networking.k8s.io/v1", "NetworkPolicy", "-closed", {
      spec: { podSelector: { matchLabels }, policyTypes: ["Ingress", "Egress"] },
    }),
    object("networking.k8s.io/v1", "NetworkPolicy", "-from-edge", {
      spec: { podSelector: { matchLabels }, policyTypes: ["Ingress"], ingress: [{ from: peers, ports }] },
    }),
    object("rbac.authorization.k8s.io/v1", "Role", "", {
      rules: [{ apiGroups: [""], resources: ["configmaps"], resourceNames: [`${name}-settings`], verbs: ["get"] }],
    }),
    object("rbac.authorization.k8s.io/v1", "RoleBinding", "", {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    }),
    object("policy/v1", "PodDisruptionBudget", "", { spec: { maxUnavailable: 1, selector: { matchLabels } } }),
  ];
}

const settings = (index: number): object => ({
  title: `application ${index}`,
  colour: "green",
  limits: { items: 100 },
});

function deployment(
  name: string,
  podLabels: Readonly<Record<string, string>>,
  matchLabels: Readonly<Record<string, string>>,
  setting: string,
): object {
  const get = { httpGet: { path: "/health", port: "http" } };
  const container = {
    name: "app",
    image: IMAGE,
    imagePullPolicy: "IfNotPresent",
    env: [{ name: "SETTING", value: setting }],
    ports: [{ name: "http", containerPort: PORT, protocol: "TCP" }],
    resources: {
      requests: { cpu: "50m", memory: "64Mi", "ephemeral-storage": "16Mi" },
      limits: { cpu: "500m", memory: "128Mi", "ephemeral-storage": "64Mi" },
    },
    readinessProbe: whenReady(get),
    livenessProbe: whileAlive(get),
    securityContext: containerSecurity(),
    volumeMounts: [{ name: "settings", mountPath: "/settings", readOnly: true }],
  };
  return {
    replicas: 2,
    revisionHistoryLimit: 2,
    selector: { matchLabels },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels: podLabels },
      spec: {
        serviceAccountName: name,
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 30,
        securityContext: podSecurity(),
        containers: [container],
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels },
          },
        ],
        volumes: [{ name: "settings", configMap: { name: `${name}-settings` } }],
      },
    },
  };
}
