import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { OPERATORS_NAMESPACE } from "../clusterServices/controller";
import { WAIT_FOR_READY, certificate } from "../lib/certificates";
import { type Identity, labels } from "../lib/labels";
import { controllerDuration } from "../lib/quantities";
import { WORKLOAD_TIMEOUT } from "../lib/security";

const GROUP = "cert-manager.io";
const TEN_YEARS = "87600h";

/**
 * The authority of the store's clients, and of nobody else: every server has a certificate of the platform's own authority,
 * and is no client of the store for that. Its key never leaves the operators' namespace. Gives the name of the issuer.
 */
export function createClientAuthority(
  child: (role: string) => string,
  identity: Identity,
  services: pulumi.Input<pulumi.Resource>[],
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const own = { ...opts, ...WORKLOAD_TIMEOUT, dependsOn: services };
  const name = `${identity.environment}-${identity.name}`;
  const issuer = (role: string, spec: object): pulumi.Output<string> =>
    new k8s.apiextensions.CustomResource(
      child(role),
      {
        apiVersion: `${GROUP}/v1`,
        kind: "ClusterIssuer",
        metadata: { name: `${name}-${role}`, labels: labels(identity), annotations: WAIT_FOR_READY },
        spec,
      },
      own,
    ).metadata.apply(() => `${name}-${role}`);
  const root = issuer("root", { selfSigned: {} });
  const secretName = `${name}-clients`;
  const authority = new k8s.apiextensions.CustomResource(
    child("authority"),
    {
      apiVersion: `${GROUP}/v1`,
      kind: "Certificate",
      metadata: {
        name: secretName,
        namespace: OPERATORS_NAMESPACE,
        labels: labels(identity),
        annotations: WAIT_FOR_READY,
      },
      spec: {
        secretName,
        isCA: true,
        commonName: secretName,
        duration: controllerDuration(TEN_YEARS),
        // With the same key, what it signed before it was renewed is good with what it is after.
        privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Never" },
        usages: ["cert sign", "digital signature"],
        issuerRef: { name: root, kind: "ClusterIssuer", group: GROUP },
      },
    },
    own,
  );
  return issuer("clients", { ca: { secretName: authority.metadata.apply(() => secretName) } });
}

/** With which somebody is a client of the store. Resolves to the name of the Secret, beside whose tls.crt the authority is as ca.crt. */
export const clientCertificate = (
  resourceName: string,
  place: { readonly name: string; readonly namespace: pulumi.Input<string>; readonly issuer: pulumi.Input<string> },
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> =>
  certificate(resourceName, { ...place, dnsNames: [place.name], usages: ["digital signature", "client auth"] }, opts);
