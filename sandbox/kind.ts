import { execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import { ensure } from "../toolchain";
import { defaultCacheRoot } from "../toolchain/cache";
import { exclusively } from "../toolchain/exclusive";
import { compareVersions } from "../toolchain/version";
import { writeAccess } from "./access";
import { kubectl } from "./addons";
import { registryHost } from "./environments";
import { KindNode, kindConfig, nodeNames, readNodes } from "./kindConfig";
import { checkName, filesOf } from "./layout";
import { authority } from "./pki";
import { until } from "./processes";

/**
 * The local cluster of a machine with Docker and the internet: three nodes of kind, which pull from the platform's
 * registries by name, and LoadBalancer Services that get an address. All that is kept of it lies in one directory.
 */
export interface KindCluster {
  readonly name: string;
  readonly dir: string;
  /** UID of the kube-system namespace. */
  readonly uid: string;
  readonly nodes: readonly KindNode[];
}

export interface KindStatus {
  readonly state: "absent" | "running" | "stopped";
  readonly nodes: readonly KindNode[];
}

type Say = (line: string) => void;

/** From this version on kind's own network, kindnet, enforces NetworkPolicy; older ones would let everything through. */
const ENFORCING = "0.24.0";

export const kindDir = (name: string): string => path.join(defaultCacheRoot(), "kind", checkName(name));

/** Whether a cluster of that name was made, and made completely. */
export const isKind = (name: string): boolean => fs.existsSync(filesOf(kindDir(name)).settings);

/** Brings the cluster up, or heals one that is partly there. */
export async function kindUp(name: string, say: Say = console.error): Promise<KindCluster> {
  const dir = kindDir(name);
  await requireDocker();
  const tools = await ensure(["kind", "kubectl"]);
  return alone(name, say, async () => {
    await create(name, tools.bin("kind"), tools.bin("kubectl"), say);
    await startStopped(name);
    const nodes = await inspect(name);
    const run = (...args: string[]): Promise<string> =>
      kubectl(tools.bin("kubectl"), filesOf(dir).kubeconfig, [...args, "--request-timeout=5s"]);
    if (!(await until(() => succeeds(run("get", "--raw", "/readyz")), 90_000, 500)))
      throw new Error(`the API server of kind cluster "${name}" does not get ready: docker logs ${nodeNames(name)[0]}`);
    await Promise.all(nodes.map((node) => teach(node, nodes, dir)));
    await startCloud(name, nodes);
    await kubectl(tools.bin("kubectl"), filesOf(dir).kubeconfig, [
      ...["wait", "--for=condition=Ready", "node", "--all", "--timeout=120s"],
    ]);
    const uid = await run("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}");
    say(`kind cluster "${name}" is up: ${nodes.length} nodes, kubeconfig ${filesOf(dir).kubeconfig}`);
    return { name, dir, uid, nodes };
  });
}

/** Removes the cluster and all that was kept of it; a cluster that is not ours stays. */
export async function kindDown(name: string, say: Say = console.error): Promise<void> {
  const dir = kindDir(name);
  if (!fs.existsSync(dir)) return say(`kind cluster "${name}" is not there: nothing to remove`);
  await requireDocker();
  const tools = await ensure(["kind"]);
  await alone(name, say, async () => {
    await shown(tools.bin("kind"), ["delete", "cluster", "--name", name, "--kubeconfig", rawKubeconfig(dir)]);
    fs.rmSync(dir, { recursive: true, force: true });
  });
  say(`kind cluster "${name}" is gone`);
}

export async function kindStatus(name: string): Promise<KindStatus> {
  if (!isKind(name)) return { state: "absent", nodes: [] };
  const nodes = await inspect(name).catch(() => []);
  if (nodes.length === 0) return { state: "absent", nodes };
  return { state: nodes.every(({ running }) => running) ? "running" : "stopped", nodes };
}

async function create(name: string, kind: string, kubectlBinary: string, say: Say): Promise<void> {
  const dir = kindDir(name);
  const files = filesOf(dir);
  const version = /kind v(\d+\.\d+\.\d+)/.exec(await output(kind, ["version"]))?.[1] ?? "0";
  requireEnforcing(version, kind);
  const there = (await output(kind, ["get", "clusters"])).split("\n").includes(name);
  if (there && isKind(name)) return;
  if (there && !fs.existsSync(dir))
    throw new Error(
      `a kind cluster "${name}" is there that this project did not make: choose another name (--name), or remove it (kind delete cluster --name ${name})`,
    );
  if (fs.existsSync(dir)) {
    say(`kind cluster "${name}" is gone or was never finished: making it anew, with empty state`);
    if (there) await shown(kind, ["delete", "cluster", "--name", name, "--kubeconfig", rawKubeconfig(dir)]);
    fs.rmSync(dir, { recursive: true, force: true });
  }
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  authority(files.pki, "platform-ca", `kind ${name} platform CA`);
  const config = path.join(dir, "kind.yaml");
  fs.writeFileSync(config, stringify(kindConfig(name)));
  say(`making kind cluster "${name}" (kind ${version}, whose network enforces NetworkPolicy)`);
  await shown(kind, [
    ...["create", "cluster", "--name", name, "--config", config],
    ...["--kubeconfig", rawKubeconfig(dir), "--wait", "120s"],
  ]);
  adoptKubeconfig(name, dir);
  // Three nodes that take pods, as a rollout over three zones needs them.
  const taint = "node-role.kubernetes.io/control-plane:NoSchedule-";
  await kubectl(kubectlBinary, files.kubeconfig, ["taint", "nodes", nodeNames(name)[0] ?? "", taint]);
  fs.writeFileSync(files.settings, JSON.stringify({ kind: version }));
}

export function requireEnforcing(version: string, kind: string): void {
  if (compareVersions(version, ENFORCING) >= 0) return;
  throw new Error(
    `kind ${version} (${kind}) does not enforce NetworkPolicy: install ${ENFORCING} or later, or take it off PATH and ours is fetched`,
  );
}

const rawKubeconfig = (dir: string): string => path.join(dir, "kind.kubeconfig");

interface RawKubeconfig {
  clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
  users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

/** kind writes the credential into the kubeconfig; ours keeps it apart. */
function adoptKubeconfig(name: string, dir: string): void {
  const raw = parse(fs.readFileSync(rawKubeconfig(dir), "utf8")) as RawKubeconfig;
  const [cluster, user] = [raw.clusters[0]?.cluster, raw.users[0]?.user];
  if (!cluster || !user) throw new Error(`${rawKubeconfig(dir)}, which kind wrote, names no cluster and user`);
  const decoded = (data: string): string => Buffer.from(data, "base64").toString("utf8");
  writeAccess(dir, {
    name: `kind-${name}`,
    server: cluster.server,
    caData: cluster["certificate-authority-data"],
    certificate: decoded(user["client-certificate-data"]),
    key: decoded(user["client-key-data"]),
  });
  fs.rmSync(rawKubeconfig(dir));
}

async function inspect(name: string): Promise<KindNode[]> {
  return readNodes(await output("docker", ["inspect", ...nodeNames(name)]));
}

/** After a restart of Docker, or of the machine. */
async function startStopped(name: string): Promise<void> {
  const stopped = (await inspect(name)).filter(({ running }) => !running);
  if (stopped.length > 0) await output("docker", ["start", ...stopped.map((node) => node.name)]);
}

async function teach(node: KindNode, nodes: readonly KindNode[], dir: string): Promise<void> {
  const ca = fs.readFileSync(path.join(filesOf(dir).pki, "platform-ca.crt"), "utf8").trim();
  const registries = nodes.map(({ environment, address }) => `${registryHost(environment)}=${address}`);
  await output("docker", ["exec", "-i", node.name, "bash", "-s", "--", ca, ...registries], script("kind-node.sh"));
}

/** A unit of the control plane's own systemd: no process of the host's, and gone with the cluster. */
async function startCloud(name: string, nodes: readonly KindNode[]): Promise<void> {
  const start =
    "cat >/usr/local/bin/platform-cloud; systemctl stop platform-cloud 2>/dev/null || true; " +
    "exec systemd-run --quiet --collect --unit=platform-cloud --property=Restart=always /bin/bash /usr/local/bin/platform-cloud";
  const addresses = nodes.map(({ environment, address }) => `${environment}=${address}`);
  await output(
    "docker",
    ["exec", "-i", nodeNames(name)[0] ?? "", "bash", "-ec", `${start} "$@"`, "bash", ...addresses],
    script("kind-cloud.sh"),
  );
}

const script = (file: string): string => fs.readFileSync(path.join(__dirname, file), "utf8");

const alone = <T>(name: string, say: Say, work: () => Promise<T>): Promise<T> =>
  exclusively(`${kindDir(name)}.lock`, work, (holder) => say(`waiting for ${holder}, which works on kind "${name}"`));

async function requireDocker(): Promise<void> {
  await output("docker", ["version", "--format", "{{.Server.Version}}"]).catch((error: Error) => {
    throw new Error(
      `kind needs Docker, which does not answer (${error.message}): start it, or use a cluster of yours (npm run up -- --context NAME)`,
    );
  });
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

/** Resolves to what the command printed; fails with what it said. */
function output(file: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((done, fail) => {
    const child = execFile(file, [...args], { maxBuffer: 64 * 1024 * 1024 }, (error, out, err) => {
      if (!error) return done(out);
      const what = `${path.basename(file)} ${args.slice(0, 3).join(" ")}`;
      fail(new Error(`${what}: ${err.trim() || error.message}`));
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

/** Shows the command's own progress. */
function shown(file: string, args: readonly string[]): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(file, [...args], { stdio: ["ignore", 2, 2] });
    child.on("error", fail);
    child.on("close", (code) =>
      code === 0
        ? done()
        : fail(new Error(`${path.basename(file)} ${args.slice(0, 2).join(" ")} failed with exit code ${code} (above)`)),
    );
  });
}
