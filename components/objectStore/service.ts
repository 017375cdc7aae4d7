import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { ObjectStore } from ".";
import type { AppBucket } from "./settings";

type Volume = Omit<k8s.types.input.core.v1.Volume, "name">;

/** Where a client has its certificate (tls.crt, tls.key) and that of the servers' authority (ca.crt). */
export const CERTIFICATES = "/etc/object-store";

/** What every client of S3 understands, and beside that the bucket and where the certificates are. */
export const environmentOf = (login: {
  readonly endpoint: pulumi.Input<string>;
  readonly bucket: string;
  readonly user: string;
  /** A template over what Vault keeps. */
  readonly password: string;
}): Record<string, pulumi.Input<string>> => ({
  AWS_ENDPOINT_URL_S3: login.endpoint,
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: login.user,
  AWS_SECRET_ACCESS_KEY: login.password,
  AWS_CA_BUNDLE: `${CERTIFICATES}/ca.crt`,
  S3_BUCKET: login.bucket,
  S3_CERTIFICATES: CERTIFICATES,
});

export function bucketOf(buckets: Readonly<Record<string, AppBucket>>, client: string): AppBucket {
  const found = buckets[client];
  if (!found) throw new Error(`"${client}" has no bucket here: ${Object.keys(buckets).join(", ") || "nobody"} has`);
  return found;
}

/** A client's own certificate, and in the place of its authority that of the servers': `ca.crt` of a ConfigMap. */
export const clientVolume = (secretName: pulumi.Input<string>, authority: pulumi.Input<string>): Volume => ({
  projected: {
    defaultMode: 0o440,
    sources: [
      { secret: { name: secretName, items: ["tls.crt", "tls.key"].map((key) => ({ key, path: key })) } },
      { configMap: { name: authority, items: [{ key: "ca.crt", path: "ca.crt" }] } },
    ],
  },
});

/** What an application needs as files to be a client of the store. */
export function mountOf(
  store: ObjectStore,
  app: string,
  namespace: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): { name: string; directory: string; volume: Volume } {
  const trusted = new k8s.core.v1.ConfigMap(
    `${app}-store-authority`,
    { metadata: { namespace }, data: { "ca.crt": store.authority } },
    opts,
  );
  const certificate = store.certificateOf(app, namespace, opts);
  return { name: "store", directory: CERTIFICATES, volume: clientVolume(certificate, trusted.metadata.name) };
}
