import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensureImages } from "../toolchain/images";
import { writeAccess } from "./access";
import { kubectl, manifests } from "./addons";
import { cgroupOf, createCgroup, removeCgroup } from "./cgroups";
import { IMAGE_PORT } from "./cloud";
import { ClusterPki, clusterPki, controlPlaneSpec } from "./controlPlane";
import { DOCKER, dockerSpec } from "./docker";
import { Layout, filesOf } from "./layout";
import { MachineSpec, hasLink, ip, isConnected, machineDir, running, setConnected, start } from "./machine";
import { nodeSpec } from "./node";
import { certificate } from "./pki";
import { MARKER, findByArguments, sleep, until } from "./processes";
import { alone, claim } from "./settings";
import { isSettled, remember } from "./settled";
import { Tools, sandboxTools } from "./tools";

export interface UpOptions {
  readonly name: string;
  /** Also run a Docker daemon, for building images. */
  readonly docker?: boolean;
  /** Leaves the parts of a cluster alone that was given the same before and looks well. */
  readonly trusting?: boolean;
  readonly say?: (line: string) => void;
}

const CAP_SYS_RESOURCE = 24n;
/** What the sandbox itself runs. */
export const SANDBOX_IMAGES = ["pause", "busybox", "coredns", "local-path-provisioner", "metrics-server"];

/** Brings the sandbox up, or heals one that is partly there; a whole one is left alone. */
export async function up(options: UpOptions): Promise<Layout> {
  refuseWhereItCannotRun();
  const say = options.say ?? ((line: string) => console.error(line));
  const layout = await claim(options.name);
  const files = filesOf(layout.dir);
  return alone(layout, async () => {
    const plan = await planOf(layout, options.docker ?? hadDocker(layout));
    writeUserFiles(layout, plan.pki);
    bridgeUp(layout);
    startCloud(layout, plan.pki);
    // What a cluster says of a machine that was off is old.
    const ran = plan.machines.every(({ name }) => running(layout, name));
    for (const machine of plan.machines) await startMachine(layout, machine);
    const given = givenTo(layout, plan);
    const names = DEPLOYMENTS.map(([, name]) => name);
    if (!(options.trusting && ran && (await isSettled(layout, given, asking(layout, plan), names)))) {
      say(`sandbox "${layout.name}": machines run, waiting for the cluster`);
      await readyAtLast(layout, plan, say);
      remember(layout, given);
    }
    if (plan.machines.some((machine) => machine.name === DOCKER)) await dockerReady(files.dockerSocket);
    say(`sandbox "${layout.name}" is up: ${layout.nodes.length} nodes, kubeconfig ${files.kubeconfig}`);
    return layout;
  });
}

interface Plan {
  readonly tools: Tools;
  readonly pki: ClusterPki;
  readonly images: Readonly<Record<string, string>>;
  readonly machines: readonly MachineSpec[];
}

const hadDocker = (layout: Layout): boolean => fs.existsSync(machineDir(layout, DOCKER));

/** What the sandbox should be. */
async function planOf(layout: Layout, docker: boolean): Promise<Plan> {
  const tools = await sandboxTools(layout.dir, docker ? ["docker"] : []);
  const built = await ensureImages(SANDBOX_IMAGES);
  const images = Object.fromEntries(Object.entries(built).map(([name, image]) => [name, image.reference]));
  const pki = clusterPki(layout);
  const imageServer = `${layout.hostIp}:${IMAGE_PORT}`;
  const workers = layout.nodes.map((node) =>
    nodeSpec(layout, node, pki, tools, {
      pauseImage: images.pause ?? "",
      imageServer,
      cgroup: cgroupOf(layout.bridge, node.name),
      canLowerOomScore: hasCapability(CAP_SYS_RESOURCE),
    }),
  );
  const builder = docker ? [dockerSpec(layout, pki, tools, imageServer)] : [];
  return { tools, pki, images, machines: [controlPlaneSpec(layout, pki, tools), ...workers, ...builder] };
}

/** How often a machine is started that ends while the cluster comes up. */
const STARTS = 3;

/** Waits for the cluster. A machine that ends meanwhile is started again: nobody should wait minutes for what will not come. */
async function readyAtLast(layout: Layout, plan: Plan, say: (line: string) => void): Promise<void> {
  let over = false;
  const starts: string[] = [];
  const watch = async (): Promise<void> => {
    for (; !over; await sleep(1000)) {
      startCloud(layout, plan.pki);
      for (const machine of plan.machines.filter(({ name }) => !running(layout, name))) {
        const log = path.join(machineDir(layout, machine.name), "console.log");
        if (starts.filter((name) => name === machine.name).length === STARTS)
          throw new Error(`machine ${machine.name} of sandbox "${layout.name}" ends again and again: see ${log}`);
        starts.push(machine.name);
        say(`sandbox "${layout.name}": machine ${machine.name} ended, starting it again`);
        await startMachine(layout, machine);
      }
    }
  };
  const attempt = async (): Promise<void> => {
    const before = starts.length;
    try {
      await ready(layout, plan);
    } catch (error) {
      if (starts.length === before) throw error;
      await attempt();
    }
  };
  try {
    await Promise.race([attempt(), watch()]);
  } finally {
    over = true;
  }
}

async function startMachine(layout: Layout, machine: MachineSpec): Promise<void> {
  const group = cgroupOf(layout.bridge, machine.name);
  // As after any reboot. A kubelet spends three seconds on each group whose container is no more, before it starts a pod.
  if (!running(layout, machine.name)) await until(() => removeCgroup(group), 10_000);
  createCgroup(group);
  await start(layout, machine);
  if (machine.ip && !isConnected(layout, machine.name)) setConnected(layout, machine.name, true);
}

/** Switches one machine on again. */
export async function restart(layout: Layout, name: string): Promise<void> {
  await alone(layout, async () => {
    const plan = await planOf(layout, hadDocker(layout));
    const machine = plan.machines.find((candidate) => candidate.name === name);
    if (machine) await startMachine(layout, machine);
  });
}

function refuseWhereItCannotRun(): void {
  if (process.platform !== "linux")
    throw new Error(
      `the sandbox needs Linux, this is ${process.platform}: use a cluster of yours (npm run up -- --context NAME) or Docker with kind`,
    );
  if (process.getuid?.() !== 0)
    throw new Error(
      "the sandbox makes network and mount namespaces and needs root: run it as root, or use a cluster of yours (npm run up -- --context NAME)",
    );
}

function hasCapability(bit: bigint): boolean {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(fs.readFileSync("/proc/self/status", "utf8"))?.[1];
  return line !== undefined && ((BigInt(`0x${line}`) >> bit) & 1n) === 1n;
}

function writeUserFiles(layout: Layout, pki: ClusterPki): void {
  const admin = certificate(pki.dir, "admin", pki.ca, { commonName: "admin", organization: "system:masters" });
  const text = (file: string): string => fs.readFileSync(file, "utf8");
  writeAccess(layout.dir, {
    name: `sandbox-${layout.name}`,
    server: pki.server,
    caData: Buffer.from(text(pki.ca.cert)).toString("base64"),
    certificate: text(admin.cert),
    key: text(admin.key),
  });
}

function bridgeUp(layout: Layout): void {
  if (!hasLink(layout.bridge)) ip("link", "add", layout.bridge, "type", "bridge");
  ip("link", "set", layout.bridge, "up");
  ip("addr", "replace", `${layout.hostIp}/24`, "dev", layout.bridge);
}

const cloudScript = path.join(__dirname, "cloud.ts");

function startCloud(layout: Layout, pki: ClusterPki): void {
  if (findByArguments([cloudScript, layout.dir])) return;
  const files = filesOf(layout.dir);
  fs.mkdirSync(files.log, { recursive: true });
  const kubeconfig = path.join(pki.dir, "cloud.kubeconfig");
  fs.writeFileSync(kubeconfig, pki.client("sandbox:cloud"), { mode: 0o600 });
  const log = fs.openSync(path.join(files.log, "cloud.log"), "a");
  const child = spawn(
    process.execPath,
    [
      "--max-old-space-size=64",
      "--require",
      require.resolve("tsx/cjs"),
      cloudScript,
      layout.name,
      String(layout.slot),
      layout.dir,
      kubeconfig,
    ],
    { detached: true, cwd: "/", stdio: ["ignore", log, log], env: { ...process.env, [MARKER]: layout.dir } },
  );
  fs.closeSync(log);
  child.unref();
}

/** Of the cluster's own parts, those that others need: namespace and name. */
const DEPLOYMENTS = [
  ["kube-system", "coredns"],
  ["kube-system", "metrics-server"],
  ["local-path-storage", "local-path-provisioner"],
] as const;

type Ask = (args: readonly string[], input?: string) => Promise<string>;
const asking =
  (layout: Layout, { tools }: Plan): Ask =>
  (args, input) =>
    kubectl(tools.bin("kubectl"), filesOf(layout.dir).kubeconfig, args, input);

const partsOf = (layout: Layout, { pki, images }: Plan): string =>
  manifests({ dnsIp: layout.dnsIp, clusterCa: fs.readFileSync(pki.ca.cert, "utf8"), images });
const givenTo = (layout: Layout, plan: Plan): string[] => [plan.tools.calicoCrds(), partsOf(layout, plan)];

async function ready(layout: Layout, plan: Plan): Promise<void> {
  const { tools, pki } = plan;
  const logs = path.join(filesOf(layout.dir).machines, "MACHINE", "log");
  const run = asking(layout, plan);
  const succeeds = (args: readonly string[]): Promise<boolean> =>
    run(args).then(
      () => true,
      () => false,
    );
  if (!(await until(() => succeeds(["get", "--raw", "/readyz", "--request-timeout=2s"]), 60_000, 200))) {
    throw new Error(`the API server at ${pki.server} does not get ready: see ${logs}`);
  }
  const apply = ["apply", "--server-side", "--force-conflicts", "-f"];
  await run([...apply, tools.calicoCrds()]);
  await retried(() => run([...apply, "-"], partsOf(layout, plan)), 30_000);

  const allNodes = async (): Promise<boolean> =>
    (await run(["get", "nodes", "-o", "name"])).trim().split("\n").length === layout.nodes.length;
  if (!(await until(allNodes, 60_000, 300)))
    throw new Error(`not all nodes registered with the API server: see ${logs}`);
  // Programs that look for the pods' addresses find them where every cluster shows them.
  const podCidrs = layout.nodes.map((node) => [
    "patch",
    "node",
    node.name,
    "--type=merge",
    "-p",
    JSON.stringify({ spec: { podCIDR: node.podCidr, podCIDRs: [node.podCidr] } }),
  ]);
  await Promise.all(podCidrs.map((args) => run(args)));
  const rollout = ([namespace, name]: readonly [string, string]): string[] => {
    return ["rollout", "status", "-n", namespace, `deployment/${name}`, "--timeout=180s"];
  };
  await Promise.all(
    [["wait", "--for=condition=Ready", "node", "--all", "--timeout=180s"], ...DEPLOYMENTS.map(rollout)].map((args) =>
      run(args),
    ),
  );
}

/** A fresh API server serves a new kind a moment after it accepted its definition. */
async function retried<T>(work: () => Promise<T>, timeoutMs: number): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(300);
    }
  }
}

async function dockerReady(socket: string): Promise<void> {
  if (!(await until(() => fs.existsSync(socket), 30_000)))
    throw new Error(`the sandbox's Docker daemon does not start (machine ${DOCKER})`);
}
