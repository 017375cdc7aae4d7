import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, selector } from "../lib/labels";
import type { Peer } from "../lib/network";
import { SKIP_AWAIT, WORKLOAD_TIMEOUT, containerSecurity, podSecurity } from "../lib/security";
import { whenReady, whileAlive } from "../lib/probes";

/** Of its own, as it alone looks at the machines, which no profile but `privileged` lets a pod do. */
export const NODES_CONCERN = "nodes";
export const NODE_EXPORTER = { name: "node-exporter", namespace: `platform-${NODES_CONCERN}`, port: 9100 } as const;

const IDENTITY: Identity = { environment: "platform", component: "nodes", name: NODE_EXPORTER.name };

/** The exporters, as other namespaces see them. */
export const nodeExporterPeer: Peer = { ...NODE_EXPORTER, selector: selector(IDENTITY) };

/** What the platform's alerts and a look at a busy node need, and no more. */
const COLLECTORS = ["cpu", "loadavg", "meminfo", "pressure", "stat", "vmstat"];

/** Tells the metrics of every node: reads /proc, as nobody in particular, without the node's network or its processes. */
export function createNodeExporter(
  resourceName: string,
  image: pulumi.Input<string>,
  namespace: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { name, port } = NODE_EXPORTER;
  const metadata = { name, namespace, labels: labels(IDENTITY) };
  // Without an address of its own its name stands for every pod, which is how Prometheus finds them.
  new k8s.core.v1.Service(
    `${resourceName}-metrics`,
    {
      metadata: { ...metadata, annotations: SKIP_AWAIT },
      spec: { clusterIP: "None", selector: selector(IDENTITY), ports: [{ name: "metrics", port, targetPort: port }] },
    },
    opts,
  );
  const probe = { httpGet: { path: "/", port: "metrics" } };
  return new k8s.apps.v1.DaemonSet(
    `${resourceName}-server`,
    {
      metadata,
      spec: {
        selector: { matchLabels: selector(IDENTITY) },
        template: {
          metadata: { labels: labels(IDENTITY) },
          spec: {
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: podSecurity(),
            tolerations: [{ operator: "Exists", effect: "NoSchedule" }],
            containers: [
              {
                name: "exporter",
                image,
                args: [
                  `--web.listen-address=:${port}`,
                  "--path.procfs=/host/proc",
                  "--log.level=warn",
                  "--collector.disable-defaults",
                  ...COLLECTORS.map((collector) => `--collector.${collector}`),
                ],
                ports: [{ name: "metrics", containerPort: port }],
                resources: { requests: { cpu: "10m", memory: "24Mi" }, limits: { cpu: "200m", memory: "64Mi" } },
                readinessProbe: whenReady(probe),
                livenessProbe: whileAlive(probe),
                securityContext: containerSecurity(),
                volumeMounts: [{ name: "proc", mountPath: "/host/proc", readOnly: true }],
              },
            ],
            volumes: [{ name: "proc", hostPath: { path: "/proc", type: "Directory" } }],
          },
        },
      },
    },
    { ...opts, ...WORKLOAD_TIMEOUT },
  );
}
