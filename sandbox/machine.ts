import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { Layout, filesOf } from "./layout";
import { type ProcessIdentity, identityOf, isAlive } from "../toolchain/processes";
import { MARKER, childrenOf, findByArguments, signal, until } from "./processes";

/** A machine of the sandbox: a set of services inside mount, PID and network namespaces of their own. */
export interface MachineSpec {
  readonly name: string;
  /** The address on the sandbox's bridge; a machine without one shares the host's network. */
  readonly ip?: string;
  /** Lines for `ip -batch`, run once the machine's wire is plugged in. */
  readonly routes?: readonly string[];
  readonly resolvConf: string;
  /** name → the command line, already quoted for the shell. */
  readonly services: Readonly<Record<string, string>>;
  /** Further files of the machine, by path relative to its directory. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

export const machineDir = (layout: Layout, name: string): string => path.join(filesOf(layout.dir).machines, name);
const SCRIPT = path.join(__dirname, "machine.sh");
const wire = (layout: Layout, name: string): string => `${layout.bridge}-${name}`.slice(0, 15);

export const ip = (...args: string[]): void => {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
};

export function hasLink(name: string): boolean {
  return fs.existsSync(`/sys/class/net/${name}`);
}

/** The machine's process outside its namespaces, if it runs. Found by looking, so that no record can be lost or stale. */
export function running(layout: Layout, name: string): ProcessIdentity | undefined {
  return findByArguments(["unshare", machineDir(layout, name)]);
}

/** The machine's PID 1 as the host numbers it: the way in for nsenter. */
function entrance(layout: Layout, name: string): number | undefined {
  const outside = running(layout, name);
  return outside && childrenOf(outside.pid)[0];
}

function writeFiles(layout: Layout, spec: MachineSpec): void {
  const dir = machineDir(layout, spec.name);
  fs.rmSync(path.join(dir, "services"), { recursive: true, force: true });
  fs.mkdirSync(path.join(dir, "services"), { recursive: true, mode: 0o700 });
  const write = (relative: string, text: string): void => {
    const file = path.join(dir, relative);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text, { mode: 0o600 });
  };
  for (const [relative, text] of Object.entries(spec.files ?? {})) write(relative, text);
  for (const [name, command] of Object.entries(spec.services)) write(path.join("services", name), `exec ${command}\n`);
  if (spec.routes) write("routes", spec.routes.map((line) => `${line}\n`).join(""));
  write("resolv.conf", spec.resolvConf);
}

/** Starts the machine unless it runs. Its disk (var/lib) is what it was. */
export async function start(layout: Layout, spec: MachineSpec): Promise<void> {
  if (running(layout, spec.name)) return;
  writeFiles(layout, spec);
  const dir = machineDir(layout, spec.name);
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--propagation", "private"];
  if (spec.ip) namespaces.push("--net", "--ipc");
  const console_ = fs.openSync(path.join(dir, "console.log"), "a");
  const child = spawn("unshare", [...namespaces, "bash", SCRIPT, dir, spec.ip ? "own-network" : "host-network"], {
    detached: true,
    stdio: ["ignore", console_, console_],
    env: { ...spec.env, [MARKER]: layout.dir },
  });
  fs.closeSync(console_);
  child.unref();
  if (!(await until(() => entrance(layout, spec.name) !== undefined, 5000, 10))) {
    throw new Error(`machine ${spec.name} ended at once: see ${path.join(dir, "console.log")}`);
  }
  if (spec.ip) await plugIn(layout, spec.name, spec.ip);
}

async function plugIn(layout: Layout, name: string, address: string): Promise<void> {
  const pid = String(entrance(layout, name));
  const outer = wire(layout, name);
  // A predecessor's wire vanishes with its namespace, but a moment later.
  if (!(await until(() => !hasLink(outer), 5000, 20))) ip("link", "del", outer);
  const isOwnNetwork = (): boolean => fs.readlinkSync(`/proc/${pid}/ns/net`) !== fs.readlinkSync("/proc/self/ns/net");
  if (!isOwnNetwork()) throw new Error(`machine ${name} shares the host's network; refusing to configure it`);
  ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", pid);
  ip("link", "set", outer, "master", layout.bridge, "up");
  const inside = (...args: string[]): void => {
    execFileSync("nsenter", ["-t", pid, "-n", "--", "ip", ...args], { stdio: ["ignore", "ignore", "pipe"] });
  };
  inside("link", "set", "eth0", "up");
  inside("addr", "add", `${address}/24`, "dev", "eth0");
}

/** Ends the machine like a pulled plug. */
export async function kill(layout: Layout, name: string): Promise<void> {
  const outside = running(layout, name);
  if (!outside) return;
  const inner = entrance(layout, name);
  const innerId = inner ? identityOf(inner) : undefined;
  if (innerId) signal(innerId, "SIGKILL");
  signal(outside, "SIGKILL");
  await until(() => !isAlive(outside) && !(innerId && isAlive(innerId)), 10_000, 20);
}

/** Shuts the machine down in order. */
export async function stop(layout: Layout, name: string): Promise<void> {
  const outside = running(layout, name);
  const inner = entrance(layout, name);
  if (!outside || !inner) return;
  const innerId = identityOf(inner);
  if (innerId) signal(innerId, "SIGTERM");
  if (!(await until(() => !isAlive(outside), 10_000))) await kill(layout, name);
}

/** Cuts or mends the machine's wire; what runs on it goes on running. */
export function setConnected(layout: Layout, name: string, connected: boolean): void {
  const outer = wire(layout, name);
  if (!hasLink(outer))
    throw new Error(
      `machine ${name} of sandbox "${layout.name}" has no wire: is it running? (npm run sandbox -- status)`,
    );
  ip("link", "set", outer, connected ? "up" : "down");
}

export const isConnected = (layout: Layout, name: string): boolean => {
  const file = `/sys/class/net/${wire(layout, name)}/flags`;
  return fs.existsSync(file) && (Number(fs.readFileSync(file, "utf8")) & 1) === 1;
};
