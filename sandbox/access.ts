import * as fs from "node:fs";
import { filesOf } from "./layout";

/** What a cluster's administrator logs in with: PEM texts, and the authority as kubeconfigs hold it. */
export interface Access {
  readonly name: string;
  readonly server: string;
  readonly caData: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * Writes the user's kubeconfig. It names the cluster only; the credential lies in a file of its own and is read when it is
 * needed, so that what a provider gets as input, and thus the state, holds none.
 */
export function writeAccess(dir: string, { name, server, caData, certificate, key }: Access): void {
  const files = filesOf(dir);
  const apiVersion = "client.authentication.k8s.io/v1";
  const credential = {
    apiVersion,
    kind: "ExecCredential",
    status: { clientCertificateData: certificate, clientKeyData: key },
  };
  const exec = { apiVersion, command: "cat", args: [files.credential], interactiveMode: "Never" };
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": caData } }],
    users: [{ name, user: { exec } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  fs.writeFileSync(files.credential, JSON.stringify(credential), { mode: 0o600 });
  fs.writeFileSync(files.kubeconfig, JSON.stringify(kubeconfig, null, 2), { mode: 0o600 });
}
