import * as fs from "node:fs";
import * as path from "node:path";
import { ensure } from "../toolchain";
import { filesOf } from "./layout";

/** The binaries of a sandbox's machines, and the environment they run in. */
export interface Tools {
  bin(name: string): string;
  /** One directory with all CNI plugins. */
  readonly cniDir: string;
  /** The definitions of Calico's resources, as the API server takes them. */
  calicoCrds(): string;
  readonly env: Readonly<Record<string, string>>;
}

export const SANDBOX_ITEMS = [
  "kubernetes",
  "kubectl",
  "etcd",
  "containerd",
  "runc",
  "cni-plugins",
  "calico",
  "calico-cni",
  "network-tools",
] as const;

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export async function sandboxTools(dir: string, extra: readonly string[] = []): Promise<Tools> {
  const toolchain = await ensure([...SANDBOX_ITEMS, ...extra]);
  const cniDir = path.join(filesOf(dir).machines, "cni-bin");
  fs.mkdirSync(cniDir, { recursive: true });
  const plugins = [
    ...["host-local", "portmap", "loopback"].map((name) => toolchain.bin(name)),
    toolchain.bin("calico"),
  ];
  for (const plugin of plugins) {
    const link = path.join(cniDir, path.basename(plugin));
    fs.rmSync(link, { force: true });
    fs.symlinkSync(plugin, link);
  }
  return {
    bin: (name) => toolchain.bin(name),
    cniDir,
    calicoCrds: () => path.join(toolchain.dir("calico"), "share", "crds"),
    env: { PATH: `${toolchain.path}:${SYSTEM_PATH}`, ...toolchain.env },
  };
}
