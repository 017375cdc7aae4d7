import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, selector } from "../lib/labels";
import { type Peer, type Place, toApiServer } from "../lib/network";
import { SKIP_AWAIT, WORKLOAD_TIMEOUT, containerSecurity, podSecurity } from "../lib/security";
import { LEAVES_LOST_NODE } from "../lib/spread";
import { whenReady, whileAlive } from "../lib/probes";

export const OPERATORS_NAMESPACE = "platform-operators";

/** A controller of custom resources: one Deployment that asks the API server, and what it may do there. */
export interface Controller {
  readonly name: string;
  readonly image: pulumi.Input<string>;
  readonly args: readonly pulumi.Input<string>[];
  /** In the whole cluster. */
  readonly rules: k8s.types.input.rbac.v1.PolicyRule[];
  /** Where it says that it lives. */
  readonly health: { readonly path: string; readonly port: number };
  readonly memory: string;
  /** Where it tells its metrics. */
  readonly metrics?: number;
}

const identityOf = (name: string): Identity => ({ environment: "platform", component: "operator", name });

/** The pods of a controller, as other namespaces see them. */
export const controllerPeer = (name: string): Peer => ({
  name,
  namespace: OPERATORS_NAMESPACE,
  selector: selector(identityOf(name)),
});

export function createController(
  resourceName: string,
  controller: Controller,
  namespace: pulumi.Output<string>,
  apiServers: readonly Place[],
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { name } = controller;
  const identity = identityOf(name);
  const account = createAccount(resourceName, controller, namespace, opts);
  toApiServer({ ...controllerPeer(name), namespace, name: resourceName }, apiServers, opts);
  if (controller.metrics) createMetricsService(resourceName, controller, controller.metrics, namespace, opts);
  const probe = { httpGet: { path: controller.health.path, port: "health" } };
  return new k8s.apps.v1.Deployment(
    `${resourceName}-server`,
    {
      metadata: { name, namespace, labels: labels(identity) },
      spec: {
        replicas: 1,
        // Two at once would work against each other, and a pause harms nobody: what was issued and synced stays.
        strategy: { type: "Recreate" },
        selector: { matchLabels: selector(identity) },
        template: {
          metadata: { labels: labels(identity) },
          spec: {
            serviceAccountName: account,
            automountServiceAccountToken: true,
            enableServiceLinks: false,
            tolerations: LEAVES_LOST_NODE,
            securityContext: podSecurity(),
            containers: [
              {
                name: "controller",
                image: controller.image,
                args: [...controller.args],
                ports: portsOf(controller),
                resources: {
                  requests: { cpu: "25m", memory: "64Mi" },
                  limits: { cpu: "1", memory: controller.memory },
                },
                readinessProbe: whenReady(probe),
                livenessProbe: whileAlive(probe),
                securityContext: containerSecurity(),
                volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
              },
            ],
            volumes: [{ name: "tmp", emptyDir: { sizeLimit: "16Mi" } }],
          },
        },
      },
    },
    { ...opts, ...WORKLOAD_TIMEOUT },
  );
}

function portsOf({ health, metrics }: Controller): k8s.types.input.core.v1.ContainerPort[] {
  const apart = metrics !== undefined && metrics !== health.port;
  return [
    { name: "health", containerPort: health.port },
    ...(apart ? [{ name: "metrics", containerPort: metrics }] : []),
  ];
}

/** One name for whoever asks for the metrics, in whatever environment: it need not look for the pod. */
function createMetricsService(
  resourceName: string,
  { name }: Controller,
  port: number,
  namespace: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): void {
  const identity = identityOf(name);
  new k8s.core.v1.Service(
    `${resourceName}-metrics`,
    {
      metadata: { name, namespace, labels: labels(identity), annotations: SKIP_AWAIT },
      spec: { selector: selector(identity), ports: [{ name: "metrics", port, targetPort: port }] },
    },
    opts,
  );
}

/** Resolves to the account's name once it may do its work: a server that starts before spends its first minute failing. */
function createAccount(
  resourceName: string,
  { name, rules }: Controller,
  namespace: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const shared = { labels: labels(identityOf(name)) };
  const account = new k8s.core.v1.ServiceAccount(
    `${resourceName}-account`,
    { metadata: { ...shared, name, namespace }, automountServiceAccountToken: false },
    opts,
  );
  const role = new k8s.rbac.v1.ClusterRole(
    `${resourceName}-role`,
    { metadata: { ...shared, name: `platform-${name}` }, rules },
    opts,
  );
  const binding = new k8s.rbac.v1.ClusterRoleBinding(
    `${resourceName}-binding`,
    {
      metadata: { ...shared, name: `platform-${name}` },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
    opts,
  );
  return pulumi.all([account.metadata.name, binding.metadata.name]).apply(([accountName]) => accountName);
}
