import * as fs from "node:fs";
import * as path from "node:path";
import { identityOf } from "../toolchain/processes";
import { cgroupOf, processesIn, removeCgroup } from "./cgroups";
import { removeHosts } from "./hosts";
import { Layout, filesOf, sandboxDir } from "./layout";
import { hasLink, ip, kill, machineDir } from "./machine";
import { processesOf, signal, until } from "./processes";
import { backendOf, endProcesses, pulumiProcesses } from "./pulumiProcesses";
import { alone, existing } from "./settings";

/** Removes every trace of the sandbox outside the cache, whatever state it is in, and then its directory. */
export async function down(name: string, say: (line: string) => void = console.error): Promise<void> {
  // A run of Pulumi that is still at it would write state into a directory that goes away.
  const backend = backendOf(sandboxDir(name));
  await endProcesses(() => pulumiProcesses(backend), say);
  const layout = existing(name);
  if (!layout) {
    say(`sandbox "${name}" is not there: nothing to remove`);
    return;
  }
  await alone(layout, async () => {
    await removeHosts(name);
    await removeProcesses(layout);
    await removeNetwork(layout);
    await until(() => removeCgroup(cgroupOf(layout.bridge)), 10_000);
    // Settings go last: as long as they are there, a killed "down" can be run again.
    for (const entry of fs.readdirSync(layout.dir)) {
      if (path.join(layout.dir, entry) !== filesOf(layout.dir).settings)
        fs.rmSync(path.join(layout.dir, entry), { recursive: true, force: true });
    }
    fs.rmSync(layout.dir, { recursive: true, force: true });
  });
  say(`sandbox "${name}" is gone`);
}

export function machineNames(layout: Layout): string[] {
  const { machines } = filesOf(layout.dir);
  if (!fs.existsSync(machines)) return [];
  return fs.readdirSync(machines).filter((entry) => fs.existsSync(path.join(machineDir(layout, entry), "services")));
}

async function removeProcesses(layout: Layout): Promise<void> {
  await Promise.all(machineNames(layout).map((machine) => kill(layout, machine)));
  const rest = (): ReturnType<typeof processesOf> => [
    ...processesOf(layout.dir),
    ...processesIn(cgroupOf(layout.bridge)).flatMap((pid) => identityOf(pid) ?? []),
  ];
  const gone = await until(() => {
    const found = rest();
    for (const process_ of found) signal(process_, "SIGKILL");
    return found.length === 0;
  }, 20_000);
  if (!gone) {
    const left = rest().map((process_) => process_.pid);
    throw new Error(
      `processes of sandbox "${layout.name}" do not end: ${left.join(", ")}; look at them with ps, then run down again`,
    );
  }
}

async function removeNetwork(layout: Layout): Promise<void> {
  if (hasLink(layout.bridge)) ip("link", "del", layout.bridge);
  const wires = (): string[] => fs.readdirSync("/sys/class/net").filter((link) => link.startsWith(`${layout.bridge}-`));
  if (!(await until(() => wires().length === 0, 5000))) for (const wire of wires()) ip("link", "del", wire);
}
