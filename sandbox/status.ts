import { Layout, filesOf } from "./layout";
import { isConnected, running } from "./machine";
import { machineNames } from "./down";
import { allSandboxes, existing } from "./settings";

export interface MachineStatus {
  readonly machine: string;
  readonly state: "running" | "partitioned" | "stopped";
  readonly pid?: number;
}

export function statusOf(layout: Layout): MachineStatus[] {
  return machineNames(layout).map((machine) => {
    const process_ = running(layout, machine);
    if (!process_) return { machine, state: "stopped" };
    const wired = machine === "docker" || isConnected(layout, machine);
    return { machine, state: wired ? "running" : "partitioned", pid: process_.pid };
  });
}

export function describe(): string {
  const names = allSandboxes();
  if (names.length === 0) return "no sandbox on this machine (npm run sandbox -- up)";
  return names
    .flatMap((name) => {
      const layout = existing(name);
      if (!layout) return [];
      const machines = statusOf(layout).map(
        ({ machine, state, pid }) => `  ${machine.padEnd(8)} ${state}${pid ? ` (process ${pid})` : ""}`,
      );
      return [
        `sandbox "${name}": API server https://${layout.controlPlaneIp}:6443, kubeconfig ${filesOf(layout.dir).kubeconfig}`,
        ...machines,
      ];
    })
    .join("\n");
}
