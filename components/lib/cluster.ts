import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as https from "node:https";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import type { Place } from "./network";

/** The live cluster behind a kubeconfig: who it is, and what of it the program needs to know. */
export interface ClusterFacts {
  /** UID of the kube-system namespace, the cluster's identity. */
  readonly uid: string;
  readonly server: string;
  readonly podCidrs: readonly string[];
  /** Where pods reach the API server. */
  readonly apiServers: readonly Place[];
  /** The groups of its API, those of custom resources among them. */
  readonly apiGroups: readonly string[];
}

export interface Kubeconfig {
  readonly server: string;
  readonly context: string;
  readonly caData?: string;
  readonly credential: () => { cert?: Buffer; key?: Buffer; token?: string };
  /** What identifies the cluster and how to log in, without any secret: fit for a provider's input. */
  readonly providerInput: string;
}

interface RawUser {
  exec?: {
    command: string;
    args?: string[];
    env?: { name: string; value: string }[];
    apiVersion: string;
    interactiveMode?: string;
  };
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

const TIMEOUT_MS = 10_000;
const API_SERVER_SLICES =
  "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=kubernetes";

/** What the definitions of the cluster's services add to its API. */
const SERVICES = ["cert-manager.io", "external-secrets.io", "gateway.networking.k8s.io"];

interface EndpointSlice {
  endpoints?: { addresses: string[] }[];
  ports?: { port: number }[];
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
    providerInput: providerInput(name, cluster.server, ca, user, file),
  };
}

/** Secrets stay in the kubeconfig: a login that is none by itself is looked up there by kubectl when it is needed. */
function providerInput(name: string, server: string, ca: Buffer | undefined, user: RawUser, file: string): string {
  const absolute = (relative?: string): string | undefined => relative && path.resolve(path.dirname(file), relative);
  const login = user.exec
    ? { exec: guarded(user.exec, server) }
    : {
        "client-certificate": absolute(user["client-certificate"]),
        "client-certificate-data": user["client-certificate-data"],
        "client-key": absolute(user["client-key"]),
        tokenFile: absolute(user.tokenFile),
      };
  const embedded = user.token ?? user["client-key-data"];
  if (!user.exec && embedded) {
    throw new Error(
      `the kubeconfig ${file} holds the credential of context "${name}" itself, which would end up in the stack's state: ` +
        `use one with an exec plugin, or with files (client-certificate, client-key, tokenFile)`,
    );
  }
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
function guarded(exec: NonNullable<RawUser["exec"]>, server: string): NonNullable<RawUser["exec"]> {
  const script = [
    'for file in $(printf %s "${KUBECONFIG:-}" | tr ":" " "); do grep -qF -- "$0" "$file" && exec "$@"; done',
    'if [ -z "${KUBECONFIG:-}" ]; then exec "$@"; fi',
    'echo "refused: this stack belongs to the cluster $0, of which KUBECONFIG ($KUBECONFIG) says nothing; nothing was written" >&2',
    "exit 1",
  ].join("\n");
  return { ...exec, command: "sh", args: ["-c", script, server, exec.command, ...(exec.args ?? [])] };
}

function execCredential(exec: NonNullable<RawUser["exec"]>): { cert?: Buffer; key?: Buffer; token?: string } {
  const env = {
    ...process.env,
    KUBERNETES_EXEC_INFO: JSON.stringify({
      apiVersion: exec.apiVersion,
      kind: "ExecCredential",
      spec: { interactive: false },
    }),
  };
  for (const { name, value } of exec.env ?? []) Object.assign(env, { [name]: value });
  const text = execFileSync(exec.command, exec.args ?? [], {
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

async function get<T>(kubeconfig: Kubeconfig, url: string): Promise<T> {
  const found = await find<T>(kubeconfig, url);
  if (found === undefined) throw unreachable(kubeconfig, `404 to ${url}`);
  return found;
}

const unreachable = (kubeconfig: Kubeconfig, reason: string): Error =>
  new Error(
    `the cluster at ${kubeconfig.server} (context "${kubeconfig.context}") does not answer: ${reason}. Is it up? (npm run sandbox -- status)`,
  );

/** What the cluster has there; undefined where it has nothing. */
function find<T>(kubeconfig: Kubeconfig, url: string): Promise<T | undefined> {
  const { cert, key, token } = kubeconfig.credential();
  return new Promise((done, fail) => {
    const refuse = (reason: string): void => fail(unreachable(kubeconfig, reason));
    const request = https.get(
      new URL(url, kubeconfig.server),
      {
        ca: kubeconfig.caData,
        cert,
        key,
        timeout: TIMEOUT_MS,
        headers: token ? { authorization: `Bearer ${token}` } : {},
        agent: false,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("error", (error) => refuse(error.message));
        response.on("end", () => {
          if (response.statusCode === 404) return done(undefined);
          if (response.statusCode !== 200) return refuse(`${response.statusCode} to ${url}`);
          try {
            done(JSON.parse(text) as T);
          } catch {
            refuse(`no JSON to ${url}, but ${JSON.stringify(text.slice(0, 60))}`);
          }
        });
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    request.on("error", (error) => refuse(error.message));
  });
}

export async function clusterFacts(kubeconfig: Kubeconfig): Promise<ClusterFacts> {
  const [system, nodes, slices, api] = await Promise.all([
    get<{ metadata: { uid: string } }>(kubeconfig, "/api/v1/namespaces/kube-system"),
    get<{ items: { spec: { podCIDRs?: string[] } }[] }>(kubeconfig, "/api/v1/nodes"),
    get<{ items: EndpointSlice[] }>(kubeconfig, API_SERVER_SLICES),
    get<{ groups: { name: string }[] }>(kubeconfig, "/apis"),
  ]);
  return {
    uid: system.metadata.uid,
    server: kubeconfig.server,
    podCidrs: nodes.items
      .flatMap((node) => node.spec.podCIDRs ?? [])
      .filter((cidr) => !cidr.includes(":"))
      .sort(),
    apiGroups: api.groups.map(({ name }) => name),
    apiServers: slices.items.flatMap(({ endpoints, ports }) =>
      (endpoints ?? []).flatMap(({ addresses }) =>
        addresses.flatMap((address) => (ports ?? []).map(({ port }) => ({ address, port }))),
      ),
    ),
  };
}

interface Balanced {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { hostname?: string; ip?: string }[] } };
}

/** Where a LoadBalancer Service is reached from outside; undefined if by the end of our patience it has no address. */
export async function serviceAddress(
  kubeconfig: Kubeconfig,
  namespace: string,
  name: string,
  patienceMs: number,
): Promise<string | undefined> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const service = await find<Balanced>(kubeconfig, `/api/v1/namespaces/${namespace}/services/${name}`);
    const ingress = service?.status?.loadBalancer?.ingress?.[0];
    const address = ingress?.hostname ?? ingress?.ip;
    if (address || Date.now() >= end) return address;
    await sleep(500);
  }
}

/** The values of a Secret; undefined where there is none. */
export async function readSecret(
  kubeconfig: Kubeconfig,
  namespace: string,
  name: string,
): Promise<Record<string, string> | undefined> {
  const url = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  const secret = await find<{ data?: Record<string, string> }>(kubeconfig, url);
  const entries = Object.entries(secret?.data ?? {});
  return secret && Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
}

/** Refuses every cluster but the one the stack belongs to. */
export function checkPin(stack: string, facts: ClusterFacts, pin: string | undefined, context: string): void {
  if (pin === facts.uid) return;
  const found = `context "${context}" (${facts.server}) is cluster ${facts.uid}`;
  if (!pin) {
    throw new Error(
      `stack ${stack} is not bound to a cluster yet, and ${found}. If that is the one: pulumi config set platform:clusterUid ${facts.uid} -s ${stack}, and commit the file.`,
    );
  }
  throw new Error(
    `refused: stack ${stack} belongs to cluster ${pin}, but ${found}. Nothing was written. Set KUBECONFIG to the right cluster's file.`,
  );
}

/** Refuses a stack that uses what the cluster has once, where the cluster does not have it. */
export function checkServices(stack: string, { apiGroups, server }: ClusterFacts): void {
  const missing = SERVICES.filter((group) => !apiGroups.includes(group));
  if (missing.length === 0) return;
  throw new Error(
    `stack ${stack} uses what another stack installs for the whole cluster (platform:clusterServices: use), but ${server} does not know ` +
      `${missing.join(" and ")}. Bring up the stack that installs them first (pulumi up -s dev), or set platform:clusterServices to install. Nothing was written.`,
  );
}
