import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { goVersion } from "./go";
import { findOnPath } from "./searchPath";
import type { Settings } from "./settings";

/** One thing a machine has or lacks. */
export interface Fact {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
  /** How to get it. */
  readonly remedy?: string;
  /** What cannot be done without it. */
  readonly for: "everything" | "local cluster" | "building from source" | "kind";
}

const CAPABILITIES = { SYS_ADMIN: 21, NET_ADMIN: 12, SYS_CHROOT: 18, MKNOD: 27, SYS_PTRACE: 19 } as const;
const COMMANDS: Readonly<Record<string, string>> = {
  unshare: "util-linux",
  nsenter: "util-linux",
  mount: "mount",
  umount: "mount",
  bash: "bash",
  tar: "tar",
};
const NODE_MAJOR = 20;

export function machineFacts(settings: Settings): Fact[] {
  return [
    nodeFact(),
    gitFact(settings),
    systemFact(),
    rootFact(),
    capabilityFact(),
    namespaceFact(),
    cgroupFact(),
    ...commandFacts(settings),
    goFact(settings),
    packagesFact(settings),
    dockerFact(settings),
  ];
}

function nodeFact(): Fact {
  const version = process.versions.node;
  const ok = Number(version.split(".")[0]) >= NODE_MAJOR;
  return { name: "Node", ok, text: version, remedy: `install Node ${NODE_MAJOR} or later`, for: "everything" };
}

function gitFact(settings: Settings): Fact {
  const git = findOnPath("git", settings.env["PATH"]);
  return {
    name: "git",
    ok: git !== undefined,
    text: git ?? "not found",
    remedy: "install the package git",
    for: "everything",
  };
}

function systemFact(): Fact {
  const ok = process.platform === "linux";
  return {
    name: "system",
    ok,
    text: `${os.type()} ${os.release()} ${os.arch()}`,
    remedy: "the local cluster needs Linux; use kind or --context",
    for: "local cluster",
  };
}

function rootFact(): Fact {
  const uid = process.getuid?.();
  return {
    name: "user",
    ok: uid === 0,
    text: uid === 0 ? "root" : `uid ${uid ?? "unknown"}`,
    remedy: "run as root (sudo), or use kind or --context",
    for: "local cluster",
  };
}

/** The effective capabilities, as bits: a container's root often lacks some. */
function capabilityFact(): Fact {
  const bits = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(readOrEmpty("/proc/self/status"))?.[1] ?? "0"}`);
  const lacking = Object.entries(CAPABILITIES).flatMap(([name, bit]) =>
    (bits >> BigInt(bit)) & 1n ? [] : [`CAP_${name}`],
  );
  return {
    name: "capabilities",
    ok: lacking.length === 0,
    text: lacking.length === 0 ? "all the local cluster needs" : `without ${lacking.join(", ")}`,
    remedy: `give this container ${lacking.join(", ")}, or use kind or --context`,
    for: "local cluster",
  };
}

/** Seccomp profiles and sysctls forbid namespaces in ways that no capability shows: trying is the only sure answer. */
function namespaceFact(): Fact {
  const ok = ask("unshare", ["--mount", "--net", "--pid", "--fork", "true"]) !== undefined;
  const overlay = /\boverlay$/m.test(readOrEmpty("/proc/filesystems"));
  return {
    name: "kernel",
    ok: ok && overlay,
    text: `${ok ? "namespaces" : "no new namespaces"}, ${overlay ? "overlayfs" : "no overlayfs"}`,
    remedy: ok ? "load the kernel module overlay" : "allow mount, network and pid namespaces (a privileged container)",
    for: "local cluster",
  };
}

function cgroupFact(): Fact {
  const version = fs.existsSync("/sys/fs/cgroup/cgroup.controllers")
    ? 2
    : fs.existsSync("/sys/fs/cgroup/memory")
      ? 1
      : 0;
  const writable = version > 0 && canWrite("/sys/fs/cgroup");
  return {
    name: "cgroups",
    ok: version > 0 && writable,
    text: version === 0 ? "not mounted" : `version ${version}${writable ? "" : ", read-only"}`,
    remedy: "mount /sys/fs/cgroup writable",
    for: "local cluster",
  };
}

function commandFacts(settings: Settings): Fact[] {
  const lacking = Object.keys(COMMANDS).filter((command) => !findOnPath(command, settings.env["PATH"]));
  const packages = [...new Set(lacking.map((command) => COMMANDS[command]))];
  const ok = lacking.length === 0;
  const text = ok ? Object.keys(COMMANDS).join(", ") : `without ${lacking.join(", ")}`;
  return [{ name: "commands", ok, text, remedy: `install the packages ${packages.join(", ")}`, for: "local cluster" }];
}

function goFact(settings: Settings): Fact {
  const go = findOnPath("go", settings.env["PATH"]);
  const text = go ? `${goVersion(go, settings.env)} (${go})` : "not found";
  return {
    name: "Go",
    ok: go !== undefined,
    text,
    remedy: "only needed where a download is out of reach: go.dev/dl",
    for: "building from source",
  };
}

function packagesFact(settings: Settings): Fact {
  const ok = ["apt-get", "dpkg-deb"].every((tool) => findOnPath(tool, settings.env["PATH"]) !== undefined);
  return {
    name: "Debian packages",
    ok,
    text: ok ? "apt-get, dpkg-deb" : "no apt-get",
    remedy: "only needed where a download is out of reach: use a Debian or Ubuntu machine",
    for: "building from source",
  };
}

function dockerFact(settings: Settings): Fact {
  const docker = findOnPath("docker", settings.env["PATH"], settings.cache.root);
  const server = docker && ask(docker, ["version", "--format", "{{.Server.Version}}"]);
  return {
    name: "Docker daemon",
    ok: Boolean(server),
    text: server ? `${server} answers` : docker ? `${docker}, but no daemon answers` : "not found",
    remedy: "start Docker to use kind; the local cluster does without",
    for: "kind",
  };
}

/** A cluster the user has: with one, none has to be made. */
export function kubeconfigIn(env: NodeJS.ProcessEnv): string | undefined {
  const files = env["KUBECONFIG"]?.split(path.delimiter) ?? [path.join(env["HOME"] ?? os.homedir(), ".kube/config")];
  return files.find((file) => file !== "" && fs.existsSync(file));
}

function ask(file: string, args: string[]): string | undefined {
  try {
    return execFileSync(file, args, { encoding: "utf8", timeout: 3000, stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

function readOrEmpty(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function canWrite(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
