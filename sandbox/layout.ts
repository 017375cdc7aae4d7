import * as path from "node:path";
import { defaultCacheRoot } from "../toolchain/cache";

/**
 * Where everything of one sandbox is: its directory, its names and its addresses, all derived from a name and a slot.
 *
 * Addresses come from 198.18.0.0/15, the range reserved for tests of network equipment: it clashes with no office
 * network, no VPN and no Docker bridge, and no router forwards it should a packet ever escape.
 */
export const SLOTS = 16;
const NODE_COUNT = 3;
/** The first load balancer addresses go only to Services that ask for them: certificates name them in advance. */
export const PROMISED_ADDRESSES = 9;

export interface NodeLayout {
  readonly name: string;
  readonly ip: string;
  readonly podCidr: string;
  readonly zone: string;
  readonly region: string;
}

export interface Layout {
  readonly name: string;
  readonly slot: number;
  readonly dir: string;
  readonly bridge: string;
  readonly hostIp: string;
  readonly controlPlaneIp: string;
  readonly loadBalancerCidr: string;
  readonly serviceCidr: string;
  readonly kubernetesServiceIp: string;
  readonly dnsIp: string;
  readonly podCidr: string;
  readonly nodes: readonly NodeLayout[];
  readonly loadBalancerIp: (index: number) => string;
}

export const DEFAULT_NAME = "platform";
const NAME_PATTERN = /^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/;

export function checkName(name: string): string {
  if (NAME_PATTERN.test(name)) return name;
  throw new Error(
    `sandbox name "${name}" is not usable: take 1 to 20 lower-case letters, digits and dashes, starting with a letter (--name my-sandbox)`,
  );
}

export const sandboxesDir = (): string => path.join(defaultCacheRoot(), "sandboxes");
export const sandboxDir = (name: string): string => path.join(sandboxesDir(), checkName(name));

/** One slot is a /19: .0 machines, .1 load balancers, .4-.7 services, .16-.31 pods. */
export function layoutOf(name: string, slot: number, dir: string = sandboxDir(name)): Layout {
  if (!Number.isInteger(slot) || slot < 0 || slot >= SLOTS)
    throw new Error(`sandbox slot ${slot} is outside 0..${SLOTS - 1}`);
  const at = (third: number, fourth: number): string => {
    const absolute = slot * 32 + third;
    return `198.${18 + Math.floor(absolute / 256)}.${absolute % 256}.${fourth}`;
  };
  const nodes = Array.from({ length: NODE_COUNT }, (_, index) => ({
    name: `node${index + 1}`,
    ip: at(0, 11 + index),
    podCidr: `${at(16 + 2 * index, 0)}/23`,
    zone: `zone-${"abc"[index]}`,
    region: index === 2 ? "region-2" : "region-1",
  }));
  return {
    name,
    slot,
    dir,
    bridge: `pfsb${slot}`,
    hostIp: at(0, 1),
    controlPlaneIp: at(0, 2),
    loadBalancerCidr: `${at(1, 0)}/24`,
    serviceCidr: `${at(4, 0)}/22`,
    kubernetesServiceIp: at(4, 1),
    dnsIp: at(4, 10),
    podCidr: `${at(16, 0)}/20`,
    nodes,
    loadBalancerIp: (index) => at(1, index),
  };
}

/** The files of a sandbox that others read. */
export interface SandboxFiles {
  readonly settings: string;
  readonly kubeconfig: string;
  readonly credential: string;
  readonly pki: string;
  readonly machines: string;
  readonly log: string;
  readonly state: string;
  readonly passphrase: string;
  readonly target: string;
  readonly trust: string;
  /** Where the Vault plugin finds its login. */
  readonly vaultLogin: string;
  readonly dockerSocket: string;
}

export const filesOf = (dir: string): SandboxFiles => ({
  settings: path.join(dir, "sandbox.json"),
  kubeconfig: path.join(dir, "kubeconfig"),
  credential: path.join(dir, "credential.json"),
  pki: path.join(dir, "pki"),
  machines: path.join(dir, "machines"),
  log: path.join(dir, "log"),
  state: path.join(dir, "state"),
  passphrase: path.join(dir, "passphrase"),
  target: path.join(dir, "target.json"),
  trust: path.join(dir, "trust.pem"),
  vaultLogin: path.join(dir, "vault.hcl"),
  dockerSocket: path.join(dir, "docker.sock"),
});
