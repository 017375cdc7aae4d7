import { type Hosts, hostLines, removeHosts, writeHosts } from "../sandbox/hosts";
import { kubectl } from "./kubectl";
import type { Session } from "./session";
import type { Answering } from "./welcome";

const PLACE = ["configmap", "hosts", "-n", "kube-system"];

/** The names below the edge's address; none where the cluster gave it none. */
export function hostsOf({ edge }: Answering): Hosts {
  const names = Object.values(edge?.hosts ?? {}).map((url) => new URL(url).hostname);
  return edge?.address && names.length > 0 ? { [edge.address]: [...new Set(names)] } : {};
}

/** A sandbox has no zone: its own DNS and this machine's file of hosts know a stack's names. */
export async function publishHosts(
  session: Session,
  sandbox: string,
  stack: string,
  outputs: Answering,
): Promise<void> {
  const hosts = hostsOf(outputs);
  await tellPods(session, stack, hosts);
  const written = await writeHosts(`${sandbox}/${stack}`, hosts);
  if (!written) console.error(`/etc/hosts cannot be written: this machine does not find ${stack}'s hosts by name`);
}

export async function forgetHosts(session: Session, sandbox: string, stack: string): Promise<void> {
  await tellPods(session, stack, {});
  await removeHosts(`${sandbox}/${stack}`);
}

/** CoreDNS reads one file, in which each stack has its lines. */
async function tellPods(session: Session, stack: string, hosts: Hosts): Promise<void> {
  const found = await kubectl(session, ["get", ...PLACE, "-o", "jsonpath={.data.hosts}"]);
  const others = found.split("\n").filter((line) => line && !line.endsWith(`# ${stack}`));
  const text = [...others, ...hostLines(hosts).map((line) => `${line} # ${stack}`)].join("\n");
  if (text !== found.trim())
    await kubectl(session, ["patch", ...PLACE, "--type=merge", "-p", JSON.stringify({ data: { hosts: text } })]);
}
