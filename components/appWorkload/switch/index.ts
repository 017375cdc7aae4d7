import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, selector } from "../../lib/labels";
import { type Peer, type Place, link, toApiServer } from "../../lib/network";
import { containerSecurity, podSecurity } from "../../lib/security";
import { LEAVES_LOST_NODE } from "../../lib/spread";
import { createRights } from "./rights";
import { type Switched, deadlineOf, switchNames, switchSettings } from "./settings";

/** What a switch takes of its environment. */
export interface Switcher {
  /** Node, by digest. */
  readonly image: pulumi.Input<string>;
  readonly apiServers: readonly Place[];
  /** Where requests at the edge are counted, where they are. */
  readonly prometheus?: string;
}

export interface SwitchArgs extends Omit<Switched, "namespace" | "template" | "prometheus"> {
  readonly namespace: pulumi.Input<string>;
  readonly template: pulumi.Input<object>;
  readonly switcher: Switcher;
  /** The application's pods. */
  readonly peer: Peer;
  /** Names of its Deployments. */
  readonly colours: readonly string[];
}

type Name = (role: string) => string;
type PodSpec = k8s.types.input.core.v1.PodSpec;

const FILES = "/etc/switch";
const SCRIPTS = ["switch.mjs", "plan.mjs", "cluster.mjs"];
const FIELD = "metadata.labels['batch.kubernetes.io/controller-uid']";
/** A pod or a node may go twice meanwhile. */
const TRIES = 2;

export const switchPeer = (app: string, environment: string, namespace: pulumi.Input<string>): Peer => {
  const name = switchNames(app).job;
  return { name, namespace, selector: selector(identityOf(app, environment)) };
};

const identityOf = (app: string, environment: string): Identity => ({
  environment,
  component: "switch",
  name: switchNames(app).job,
});

/**
 * The Job that brings a release to its requests, and for which an update waits; one for each release, as its settings are part of
 * it. What it moves, Pulumi leaves alone: templates and replicas of the two Deployments, the weights of the route, and the colour
 * that the Service selects. A CronJob that sleeps until a switch wakes it takes the old version away later.
 */
export function createSwitch(
  child: Name,
  environment: string,
  args: SwitchArgs,
  opts: Pick<pulumi.CustomResourceOptions, "parent"> & { readonly dependsOn: readonly pulumi.Input<pulumi.Resource>[] },
): k8s.batch.v1.Job {
  const { app, namespace, strategy, switcher, peer } = args;
  const names = switchNames(app);
  const identity = identityOf(app, environment);
  const own = { parent: opts.parent };
  const from = switchPeer(app, environment, namespace);
  toApiServer(from, switcher.apiServers, own);
  const paths = link(from, peer, args.port, own);
  const rights = { namespace, app, colours: args.colours, names, isRouted: args.rule !== undefined };
  const account = createRights(child, rights, identity, own);
  const files = createFiles(child, args, own);
  const record = new k8s.core.v1.ConfigMap(
    child("release"),
    { metadata: { name: names.record, namespace, labels: labels(identity) } },
    { ...own, ignoreChanges: ["data"] },
  );
  const podFor = (task: "switch" | "tidy"): k8s.types.input.core.v1.PodTemplateSpec => ({
    metadata: { labels: labels(identity) },
    spec: podOf(task, switcher.image, files.metadata.name, account),
  });
  const tidy = new k8s.batch.v1.CronJob(
    child("tidy"),
    {
      metadata: { name: names.tidy, namespace, labels: labels(identity) },
      spec: {
        schedule: "* * * * *",
        suspend: true,
        concurrencyPolicy: "Forbid",
        startingDeadlineSeconds: 50,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 1,
        jobTemplate: { spec: { backoffLimit: 0, activeDeadlineSeconds: 120, template: podFor("tidy") } },
      },
    },
    { ...own, ignoreChanges: ["spec.suspend"] },
  );
  const seconds = deadlineOf(strategy);
  const timeout = `${seconds + 60}s`;
  return new k8s.batch.v1.Job(
    child("switch"),
    {
      metadata: { name: names.job, namespace, labels: labels(identity) },
      spec: { backoffLimit: TRIES, activeDeadlineSeconds: seconds, template: podFor("switch") },
    },
    {
      ...opts,
      dependsOn: [...opts.dependsOn, ...paths, record, tidy],
      // One release after the other: that of before is not judged any further.
      deleteBeforeReplace: true,
      customTimeouts: { create: timeout, update: timeout, delete: "3m" },
    },
  );
}

/** Named by what is in it, so that a release has a Job of its own, and reads nothing of the next one. */
function createFiles(
  child: Name,
  {
    app,
    namespace,
    selector: labelled,
    template,
    strategy,
    port,
    replicas,
    autoscaled,
    rule,
    host,
    switcher,
  }: SwitchArgs,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.ConfigMap {
  const { prometheus } = switcher;
  const plain = { app, selector: labelled, strategy, port, replicas, autoscaled, rule, host, prometheus };
  const settings = pulumi
    .all([namespace, template])
    .apply(([place, content]) => JSON.stringify(switchSettings({ ...plain, namespace: place, template: content })));
  const scripts = SCRIPTS.map((name) => [name, readFileSync(join(__dirname, name), "utf8")] as const);
  return new k8s.core.v1.ConfigMap(
    child("switch-files"),
    { metadata: { namespace }, data: { "settings.json": settings, ...Object.fromEntries(scripts) } },
    opts,
  );
}

const podOf = (
  task: "switch" | "tidy",
  image: pulumi.Input<string>,
  files: pulumi.Input<string>,
  account: pulumi.Input<string>,
): PodSpec => ({
  restartPolicy: "Never",
  serviceAccountName: account,
  automountServiceAccountToken: true,
  enableServiceLinks: false,
  tolerations: LEAVES_LOST_NODE,
  terminationGracePeriodSeconds: 5,
  securityContext: podSecurity(),
  containers: [
    {
      name: "switch",
      image,
      command: ["node", "--max-old-space-size=48", `${FILES}/switch.mjs`, task],
      env: [
        { name: "SWITCH_SETTINGS", value: `${FILES}/settings.json` },
        { name: "JOB_UID", valueFrom: { fieldRef: { fieldPath: FIELD } } },
      ],
      resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { cpu: "500m", memory: "128Mi" } },
      securityContext: containerSecurity(),
      volumeMounts: [{ name: "files", mountPath: FILES, readOnly: true }],
    },
  ],
  volumes: [{ name: "files", configMap: { name: files } }],
});
