import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";

/** How long a login may take. */
const TIMEOUT_MS = 10_000;

export interface Kubeconfig {
  readonly server: string;
  readonly context: string;
  readonly caData?: string;
  readonly credential: () => { cert?: Buffer; key?: Buffer; token?: string };
  /** What identifies the cluster and how to log in, without any secret: fit for a provider's input. */
  readonly providerInput: string;
}

/** A program that logs in. */
export interface Exec {
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly apiVersion: string;
  readonly interactiveMode?: string;
}

interface RawUser {
  exec?: Exec;
  token?: string;
  tokenFile?: string;
  "client-certificate"?: string;
  "client-certificate-data"?: string;
  "client-key"?: string;
  "client-key-data"?: string;
}

interface RawConfig {
  "current-context"?: string;
  contexts?: { name: string; context: { cluster: string; user: string } }[];
  clusters?: {
    name: string;
    cluster: { server: string; "certificate-authority"?: string; "certificate-authority-data"?: string };
  }[];
  users?: { name: string; user: RawUser }[];
}

export function readKubeconfig(env: NodeJS.ProcessEnv = process.env): Kubeconfig {
  const file = (env.KUBECONFIG ?? "").split(":").find(Boolean) ?? path.join(os.homedir(), ".kube", "config");
  if (!fs.existsSync(file)) {
    throw new Error(
      `no cluster: the kubeconfig ${file} does not exist. Run npm run up for a local one, or set KUBECONFIG to yours.`,
    );
  }
  const raw = (parse(fs.readFileSync(file, "utf8")) ?? {}) as RawConfig;
  const name = env.PLATFORM_CONTEXT || raw["current-context"];
  const context = raw.contexts?.find((candidate) => candidate.name === name)?.context;
  const cluster = raw.clusters?.find((candidate) => candidate.name === context?.cluster)?.cluster;
  const user = raw.users?.find((candidate) => candidate.name === context?.user)?.user;
  if (!name || !context || !cluster || !user) {
    const known = raw.contexts?.map((candidate) => candidate.name).join(", ") || "none";
    throw new Error(
      `the kubeconfig ${file} has no usable context "${name ?? ""}" (it has: ${known}): choose one with kubectl config use-context NAME`,
    );
  }
  const resolve = (relative: string): string => path.resolve(path.dirname(file), relative);
  const bytes = (data?: string, at?: string): Buffer | undefined =>
    data ? Buffer.from(data, "base64") : at ? fs.readFileSync(resolve(at)) : undefined;
  const ca = bytes(cluster["certificate-authority-data"], cluster["certificate-authority"]);
  return {
    server: cluster.server,
    context: name,
    caData: ca?.toString("utf8"),
    credential: () => {
      if (user.exec) return execCredential(user.exec);
      const token =
        user.token ?? (user.tokenFile ? fs.readFileSync(resolve(user.tokenFile), "utf8").trim() : undefined);
      return {
        cert: bytes(user["client-certificate-data"], user["client-certificate"]),
        key: bytes(user["client-key-data"], user["client-key"]),
        token,
      };
    },
    providerInput: providerInput(name, cluster.server, ca, loginOf(name, cluster.server, user, file)),
  };
}

/** The same cluster, by another login. */
export const loggedInBy = (kubeconfig: Kubeconfig, exec: Exec): Kubeconfig => {
  const { context, server, caData } = kubeconfig;
  const ca = caData === undefined ? undefined : Buffer.from(caData);
  return {
    ...kubeconfig,
    credential: () => execCredential(exec),
    providerInput: providerInput(context, server, ca, { exec: guarded(exec, server) }),
  };
};

/** Secrets stay in the kubeconfig: a login that is none by itself is looked up there by kubectl when it is needed. */
function loginOf(name: string, server: string, user: RawUser, file: string): object {
  if (user.exec) return { exec: guarded(user.exec, server) };
  if (user.token ?? user["client-key-data"]) {
    throw new Error(
      `the kubeconfig ${file} holds the credential of context "${name}" itself, which would end up in the stack's state: ` +
        `use one with an exec plugin, or with files (client-certificate, client-key, tokenFile)`,
    );
  }
  const absolute = (relative?: string): string | undefined => relative && path.resolve(path.dirname(file), relative);
  return {
    "client-certificate": absolute(user["client-certificate"]),
    "client-certificate-data": user["client-certificate-data"],
    "client-key": absolute(user["client-key"]),
    tokenFile: absolute(user.tokenFile),
  };
}

function providerInput(name: string, server: string, ca: Buffer | undefined, login: object): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, ...(ca ? { "certificate-authority-data": ca.toString("base64") } : {}) } }],
    users: [{ name, user: login }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}

/**
 * Refresh and destroy take the provider from the state and never run the program, so its pin cannot stop them. Its login can:
 * it is refused in a shell whose KUBECONFIG speaks of other clusters only.
 */
function guarded(exec: Exec, server: string): Exec {
  const script = [
    'for file in $(printf %s "${KUBECONFIG:-}" | tr ":" " "); do grep -qF -- "$0" "$file" && exec "$@"; done',
    'if [ -z "${KUBECONFIG:-}" ]; then exec "$@"; fi',
    'echo "refused: this stack belongs to the cluster $0, of which KUBECONFIG ($KUBECONFIG) says nothing; nothing was written" >&2',
    "exit 1",
  ].join("\n");
  return { ...exec, command: "sh", args: ["-c", script, server, exec.command, ...(exec.args ?? [])] };
}

function execCredential(exec: Exec): { cert?: Buffer; key?: Buffer; token?: string } {
  const env = {
    ...process.env,
    KUBERNETES_EXEC_INFO: JSON.stringify({
      apiVersion: exec.apiVersion,
      kind: "ExecCredential",
      spec: { interactive: false },
    }),
  };
  for (const { name, value } of exec.env ?? []) Object.assign(env, { [name]: value });
  const text = execFileSync(exec.command, [...(exec.args ?? [])], {
    encoding: "utf8",
    env,
    timeout: TIMEOUT_MS,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { status } = JSON.parse(text) as {
    status: { token?: string; clientCertificateData?: string; clientKeyData?: string };
  };
  return {
    token: status.token,
    cert: status.clientCertificateData ? Buffer.from(status.clientCertificateData) : undefined,
    key: status.clientKeyData ? Buffer.from(status.clientKeyData) : undefined,
  };
}
