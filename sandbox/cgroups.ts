import * as fs from "node:fs";
import * as path from "node:path";

/** The control groups of a sandbox, one per machine, on cgroup v1 (one tree per controller) and v2 (one tree). */
const MOUNT = "/sys/fs/cgroup";

const cgroupVersion = (): 1 | 2 => (fs.existsSync(path.join(MOUNT, "cgroup.controllers")) ? 2 : 1);

/** As the kubelet is told it: relative to the mount. */
export const cgroupOf = (bridge: string, machine?: string): string =>
  `/platform-${bridge}${machine ? `/${machine}` : ""}`;

function trees(): string[] {
  if (cgroupVersion() === 2) return [MOUNT];
  return fs
    .readdirSync(MOUNT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(MOUNT, entry.name));
}

export function createCgroup(group: string): void {
  for (const tree of trees()) {
    const dir = path.join(tree, group);
    if (cgroupVersion() === 2) enableControllers(tree, group);
    fs.mkdirSync(dir, { recursive: true });
    inheritCpuset(tree, group);
  }
}

/** v1: a new cpuset group is empty, and an empty one takes no process. */
function inheritCpuset(tree: string, group: string): void {
  let parent = tree;
  for (const part of group.split("/").filter(Boolean)) {
    const dir = path.join(parent, part);
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      const own = path.join(dir, file);
      if (fs.existsSync(own) && cgroupVersion() === 1 && fs.readFileSync(own, "utf8").trim() === "") {
        fs.writeFileSync(own, fs.readFileSync(path.join(parent, file), "utf8"));
      }
    }
    parent = dir;
  }
}

/** v2: a controller reaches a group only if every group above hands it down. */
function enableControllers(tree: string, group: string): void {
  let parent = tree;
  for (const part of group.split("/").filter(Boolean)) {
    for (const controller of fs.readFileSync(path.join(parent, "cgroup.controllers"), "utf8").trim().split(" ")) {
      try {
        fs.writeFileSync(path.join(parent, "cgroup.subtree_control"), `+${controller}`);
      } catch {
        // A controller that cannot be handed down here is missing for everyone on this machine.
      }
    }
    parent = path.join(parent, part);
    fs.mkdirSync(parent, { recursive: true });
  }
}

function removeTree(dir: string): void {
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(path.join(dir, entry.name));
  }
  fs.rmdirSync(dir);
}

/** Removes the groups; true when nothing is left. Groups that still hold a dying process can be retried. */
export function removeCgroup(group: string): boolean {
  let gone = true;
  for (const tree of trees()) {
    const dir = path.join(tree, group);
    try {
      if (fs.existsSync(dir)) removeTree(dir);
    } catch {
      gone = false;
    }
  }
  return gone;
}

/** Processes that still sit in the group, as this namespace numbers them. */
export function processesIn(group: string): number[] {
  const found = new Set<number>();
  const walk = (dir: string): void => {
    for (const pid of fs.readFileSync(path.join(dir, "cgroup.procs"), "utf8").split("\n"))
      if (Number(pid)) found.add(Number(pid));
    for (const entry of fs.readdirSync(dir, { withFileTypes: true }))
      if (entry.isDirectory()) walk(path.join(dir, entry.name));
  };
  for (const tree of trees()) {
    const dir = path.join(tree, group);
    try {
      if (fs.existsSync(dir)) walk(dir);
    } catch {
      // The group went away while we walked it.
    }
  }
  return [...found];
}
