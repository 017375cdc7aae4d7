import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { CLIENT_ISSUER, WAIT_FOR_READY } from "../lib/certificates";
import { controllerDuration } from "../lib/quantities";
import { WORKLOAD_TIMEOUT } from "../lib/security";

const GROUP = "cert-manager.io";
const TEN_YEARS = "87600h";

/**
 * The authority of clients, beside that of servers: every server has a certificate of the platform's own authority, and is nobody's
 * client for that. It is a root of its own, whose key never leaves this namespace.
 */
export function createClientAuthority(
  child: (role: string) => string,
  namespace: pulumi.Output<string>,
  issuing: pulumi.Resource,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const own = { ...opts, ...WORKLOAD_TIMEOUT, dependsOn: [issuing] };
  const issuer = (role: string, name: string, spec: object): k8s.apiextensions.CustomResource =>
    new k8s.apiextensions.CustomResource(
      child(role),
      {
        apiVersion: `${GROUP}/v1`,
        kind: "ClusterIssuer",
        metadata: { name, annotations: WAIT_FOR_READY },
        spec,
      },
      own,
    );
  const root = issuer("self-signed", "platform-self-signed", { selfSigned: {} });
  const authority = new k8s.apiextensions.CustomResource(
    child("clients"),
    {
      apiVersion: `${GROUP}/v1`,
      kind: "Certificate",
      metadata: { name: CLIENT_ISSUER, namespace, annotations: WAIT_FOR_READY },
      spec: {
        secretName: CLIENT_ISSUER,
        isCA: true,
        commonName: CLIENT_ISSUER,
        duration: controllerDuration(TEN_YEARS),
        // With the same key, what it signed before it was renewed is good with what it is after.
        privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Never" },
        usages: ["cert sign", "digital signature"],
        issuerRef: { name: root.metadata.name, kind: "ClusterIssuer", group: GROUP },
      },
    },
    own,
  );
  const secretName = authority.metadata.apply(() => CLIENT_ISSUER);
  return issuer("clients-issuer", CLIENT_ISSUER, { ca: { secretName } });
}
