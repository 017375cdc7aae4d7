import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, selector } from "../lib/labels";
import { whenReady, whileAlive } from "../lib/probes";
import { WORKLOAD_TIMEOUT, containerSecurity, podSecurity } from "../lib/security";
import { LEAVES_LOST_NODE } from "../lib/spread";
import { CERTIFICATES, clientVolume } from "./service";
import { ADMINISTRATOR, type AppBucket, KEEPER_PORT, OWN_USERS, bucketsOf, policyOf, usersOf } from "./settings";

/** Where the keeper finds what it uses; a test has it elsewhere. */
interface KeeperPlaces {
  /** Its certificate as a client, and the authority of the servers'. */
  readonly client: string;
  /** A file for each user, with the password. */
  readonly logins: string;
}

const PLACES: KeeperPlaces = { client: CERTIFICATES, logins: "/etc/object-store-logins" };
const FILES = "/etc/keeper";

/** What the keeper makes, and how often it looks. Passwords are not among it. */
export const keeperSettings = (
  endpoint: string,
  buckets: Readonly<Record<string, AppBucket>>,
  places: KeeperPlaces = PLACES,
  listen: { readonly port: number; readonly host: string } = { port: KEEPER_PORT, host: "0.0.0.0" },
): object => ({
  endpoint,
  places,
  listen,
  administrator: ADMINISTRATOR,
  own: OWN_USERS,
  buckets: bucketsOf(buckets),
  users: usersOf(buckets).map((user) => ({ name: user.name, policy: policyOf(user) })),
  seconds: { look: 5, again: 300 },
});

const file = (name: string): string => readFileSync(join(__dirname, name), "utf8");

export interface KeeperArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  readonly endpoint: pulumi.Input<string>;
  readonly buckets: Readonly<Record<string, AppBucket>>;
  /** Names of the Secrets with the passwords, and with its certificate. */
  readonly logins: pulumi.Input<string>;
  readonly client: pulumi.Input<string>;
  /** PEM of who vouches for the servers. */
  readonly authority: pulumi.Input<string>;
}

/**
 * By itself, and not beside a server: what applications declare must not restart one. It is ready once all is as declared, so
 * that who waits for it finds bucket and user.
 */
export function createKeeper(
  child: (role: string) => string,
  args: KeeperArgs,
  identity: Identity,
  opts: pulumi.CustomResourceOptions & { readonly dependsOn: pulumi.Input<pulumi.Resource>[] },
): k8s.apps.v1.Deployment {
  const { namespace, endpoint, buckets, authority } = args;
  const files = new k8s.core.v1.ConfigMap(
    child("keeper-files"),
    {
      metadata: { namespace },
      data: {
        "settings.json": pulumi.output(endpoint).apply((url) => JSON.stringify(keeperSettings(url, buckets))),
        "ca.crt": authority,
        "keeper.mjs": file("keeper.mjs"),
        "requests.mjs": file("requests.mjs"),
      },
    },
    opts,
  );
  return new k8s.apps.v1.Deployment(
    child("keeper"),
    {
      metadata: { name: identity.name, namespace, labels: labels(identity) },
      spec: {
        replicas: 1,
        progressDeadlineSeconds: 120,
        selector: { matchLabels: selector(identity) },
        template: { metadata: { labels: labels(identity) }, spec: podOf(args, files.metadata.name) },
      },
    },
    { ...opts, ...WORKLOAD_TIMEOUT },
  );
}

const podOf = (
  { image, logins, client }: KeeperArgs,
  files: pulumi.Input<string>,
): k8s.types.input.core.v1.PodSpec => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  tolerations: LEAVES_LOST_NODE,
  terminationGracePeriodSeconds: 5,
  securityContext: podSecurity(),
  containers: [
    {
      name: "keeper",
      image,
      command: ["node", "--max-old-space-size=48", `${FILES}/keeper.mjs`],
      env: [{ name: "KEEPER_SETTINGS", value: `${FILES}/settings.json` }],
      ports: [{ name: "keeper", containerPort: KEEPER_PORT }],
      resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { cpu: "500m", memory: "128Mi" } },
      readinessProbe: whenReady({ httpGet: { path: "/", port: "keeper" } }),
      // Also without a store to talk to it lives.
      livenessProbe: whileAlive({ tcpSocket: { port: "keeper" } }),
      securityContext: containerSecurity(),
      volumeMounts: [
        { name: "files", mountPath: FILES, readOnly: true },
        { name: "client", mountPath: PLACES.client, readOnly: true },
        { name: "logins", mountPath: PLACES.logins, readOnly: true },
      ],
    },
  ],
  volumes: [
    { name: "files", configMap: { name: files } },
    { name: "client", ...clientVolume(client, files) },
    { name: "logins", secret: { secretName: logins, defaultMode: 0o440 } },
  ],
});
