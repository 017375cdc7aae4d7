import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { controllerDuration } from "./quantities";
import { WORKLOAD_TIMEOUT } from "./security";

/** The ClusterIssuer that signs with the platform's authority; the stack that installs the cluster's services makes it. */
export const ISSUER = "platform";

/** The ClusterIssuer that signs certificates of clients, with an authority that servers trust for that and for nothing else. */
export const CLIENT_ISSUER = "platform-clients";

/** The API server's own word that the object does what it says; the provider waits for it. */
export const WAIT_FOR_READY = { "pulumi.com/waitFor": "condition=Ready" } as const;

export interface CertificateArgs {
  /** Of the certificate, and of the Secret that holds tls.crt, tls.key and ca.crt. */
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  readonly dnsNames: pulumi.Input<pulumi.Input<string>[]>;
  readonly ipAddresses?: readonly string[];
}

interface Kind {
  readonly issuer: string;
  readonly usages: readonly string[];
}

const SERVER: Kind = { issuer: ISSUER, usages: ["digital signature", "server auth", "client auth"] };
const CLIENT: Kind = { issuer: CLIENT_ISSUER, usages: ["digital signature", "client auth"] };

/** A certificate of the platform's authority, renewed before it ends. Resolves to its Secret's name once that is there. */
export const certificate = (
  resourceName: string,
  args: CertificateArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> => issued(resourceName, args, SERVER, opts);

/** A certificate of a client, of that name. In its Secret ca.crt is the authority of clients, and not that of servers. */
export const clientCertificate = (
  resourceName: string,
  { name, namespace }: Pick<CertificateArgs, "name" | "namespace">,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> => issued(resourceName, { name, namespace, dnsNames: [name] }, CLIENT, opts);

function issued(
  resourceName: string,
  { name, namespace, dnsNames, ipAddresses = [] }: CertificateArgs,
  { issuer, usages }: Kind,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const made = new k8s.apiextensions.CustomResource(
    resourceName,
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { name, namespace, annotations: WAIT_FOR_READY },
      spec: {
        secretName: name,
        dnsNames,
        ...(ipAddresses.length > 0 ? { ipAddresses: [...ipAddresses] } : {}),
        duration: controllerDuration("2160h"),
        renewBefore: controllerDuration("720h"),
        privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
        usages: [...usages],
        issuerRef: { name: issuer, kind: "ClusterIssuer", group: "cert-manager.io" },
      },
    },
    { ...opts, ...WORKLOAD_TIMEOUT },
  );
  return made.metadata.apply(() => name);
}
