import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Edge } from "../edge";
import { DASHBOARDS_HOST, routeTo } from "../edge/route";
import { PlatformComponent } from "../lib/component";
import { type Identity, labels, selector } from "../lib/labels";
import { type Peer, link } from "../lib/network";
import { whenReady, whenStarted, whileAlive } from "../lib/probes";
import { SKIP_AWAIT, WORKLOAD_TIMEOUT, containerSecurity, podSecurity } from "../lib/security";
import { LEAVES_LOST_NODE } from "../lib/spread";
import type { SecretsPlatform } from "../secretsPlatform";
import type { Monitoring } from ".";
import { GRAFANA_PORT, FOLDER, SECRETS, grafanaFiles } from "./grafanaFiles";

/** As whom the image runs. */
const USER = 472;

export interface GrafanaArgs {
  readonly environment: string;
  /** Its own: the edge reads what is in it. */
  readonly namespace: pulumi.Output<string>;
  /** By digest, from the image lock. */
  readonly image: pulumi.Input<string>;
  /** Whose samples it shows. */
  readonly monitoring: Monitoring;
  /** By which browsers come. */
  readonly edge: Edge;
  /** Keeps its administrator's password. */
  readonly secrets: SecretsPlatform;
}

/**
 * Dashboards of one environment, at `https://grafana.<domain>`. All that it shows comes from this repository, and it keeps nothing: a
 * new pod is as the first was.
 *
 *     new Grafana("grafana", { environment: "dev", namespace, image, monitoring, edge, secrets }, opts);
 */
export class Grafana extends PlatformComponent {
  /** Where browsers find it. */
  readonly url: string;
  private readonly peer: Peer;

  constructor(
    name: string,
    private readonly args: GrafanaArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("Grafana", name, opts);
    const identity: Identity = { environment: args.environment, component: "dashboards", name };
    this.peer = { name, namespace: args.namespace, selector: selector(identity) };
    this.url = args.edge.urlOf(DASHBOARDS_HOST);
    this.openPaths();
    this.createServer(identity);
    const service = this.createService(identity);
    new k8s.apiextensions.CustomResource(
      this.child("route"),
      routeTo(args.edge, DASHBOARDS_HOST, this.metadataOf(identity), [{ name: service.metadata.name }]),
      this.own,
    );
    this.registerOutputs({ url: this.url });
  }

  private openPaths(): void {
    const { edge, monitoring } = this.args;
    link({ ...edge.peer, name: this.child("edge") }, this.peer, GRAFANA_PORT, this.own);
    link(this.peer, monitoring.samples.peer, monitoring.samples.port, this.own);
  }

  /** Resolves to the name of the Secret with what only it knows. */
  private createSecrets(): pulumi.Output<string> {
    const { secrets, namespace } = this.args;
    const generated = (role: string): pulumi.Output<string> =>
      new random.RandomPassword(this.child(role), { length: 32, special: false }, this.own).result;
    const from = secrets.keep(this.ownName, { password: generated("password"), key: generated("key") });
    return secrets.sync(this.ownName, { namespace, secretName: this.ownName, from });
  }

  private createConfig(): k8s.types.input.core.v1.ConfigMapProjection {
    const { namespace, monitoring } = this.args;
    const keyOf = (path: string): string => path.replaceAll("/", "_");
    const files = monitoring.samples.url.apply((prometheus) => Object.entries(grafanaFiles(this.url, prometheus)));
    const data = files.apply((all) => Object.fromEntries(all.map(([path, text]) => [keyOf(path), text])));
    const config = new k8s.core.v1.ConfigMap(this.child("config"), { metadata: { namespace }, data }, this.own);
    return {
      name: config.metadata.name,
      items: files.apply((all) => all.map(([path]) => ({ key: keyOf(path), path }))),
    };
  }

  private createServer(identity: Identity): void {
    new k8s.apps.v1.Deployment(
      this.child("server"),
      {
        metadata: { name: identity.name, namespace: this.args.namespace, labels: labels(identity) },
        spec: {
          replicas: 1,
          selector: { matchLabels: selector(identity) },
          template: { metadata: { labels: labels(identity) }, spec: this.pod() },
        },
      },
      { ...this.own, ...WORKLOAD_TIMEOUT },
    );
  }

  private pod(): k8s.types.input.core.v1.PodSpec {
    const probe = { httpGet: { path: "/api/health", port: "http" } };
    const secretItems = Object.entries(SECRETS).map(([key, path]) => ({ key, path }));
    const sources = [
      { configMap: this.createConfig() },
      { secret: { name: this.createSecrets(), items: secretItems } },
    ];
    return {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      tolerations: LEAVES_LOST_NODE,
      securityContext: podSecurity(USER),
      containers: [
        {
          name: "grafana",
          image: this.args.image,
          ports: [{ name: "http", containerPort: GRAFANA_PORT }],
          resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { cpu: "1", memory: "512Mi" } },
          startupProbe: whenStarted(probe),
          readinessProbe: whenReady(probe),
          livenessProbe: whileAlive(probe),
          securityContext: containerSecurity(),
          volumeMounts: [
            { name: "files", mountPath: FOLDER, readOnly: true },
            { name: "data", mountPath: "/var/lib/grafana" },
            { name: "tmp", mountPath: "/tmp" },
          ],
        },
      ],
      volumes: [
        { name: "files", projected: { defaultMode: 0o440, sources } },
        { name: "data", emptyDir: { sizeLimit: "256Mi" } },
        { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
      ],
    };
  }

  private createService(identity: Identity): k8s.core.v1.Service {
    return new k8s.core.v1.Service(
      this.child("service"),
      {
        metadata: this.metadataOf(identity),
        spec: { selector: selector(identity), ports: [{ name: "http", port: 80, targetPort: "http" }] },
      },
      this.own,
    );
  }

  private metadataOf(identity: Identity): k8s.types.input.meta.v1.ObjectMeta {
    return {
      name: identity.name,
      namespace: this.args.namespace,
      labels: labels(identity),
      annotations: SKIP_AWAIT,
    };
  }
}
