import * as os from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** Of the minute before the run: what else the machine was doing. */
  readonly load: string;
}

export const thisMachine = (): Machine => ({
  cpu: os.cpus()[0]?.model.trim() || "unknown",
  cpus: os.availableParallelism(),
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  system: `${os.type()} ${os.release()} ${os.arch()}`,
  node: process.versions.node,
  load: (os.loadavg()[0] ?? 0).toFixed(1),
});
