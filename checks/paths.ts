import { BlockList } from "node:net";
import type { StateResource } from "./stand";

type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchLabels?: Labels;
}
interface Peer {
  readonly namespaceSelector?: Selector;
  readonly podSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}
interface Rule {
  readonly to?: readonly Peer[];
  readonly from?: readonly Peer[];
  readonly ports?: readonly { readonly protocol?: string; readonly port?: number }[];
}

/** A NetworkPolicy as the stack declares it. */
export interface Policy {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

/** A pod, or, where it is in no namespace, what is none. */
export interface Party {
  readonly ip: string;
  readonly namespace?: string;
  readonly namespaceLabels?: Labels;
  readonly labels?: Labels;
}

const MATCHING = ["matchLabels"];

function selects(selector: Selector, labels: Labels = {}): boolean {
  const unknown = Object.keys(selector).filter((key) => !MATCHING.includes(key));
  if (unknown.length > 0)
    throw new Error(`a NetworkPolicy selects by ${unknown.join(", ")}, which is not understood here`);
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}

function isIn(cidrs: readonly string[], ip: string): boolean {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = "", bits = "32"] = cidr.split("/");
    list.addSubnet(network, Number(bits));
  }
  return list.check(ip);
}

function isPeer({ ipBlock, namespaceSelector, podSelector }: Peer, party: Party, own: string): boolean {
  if (ipBlock) return isIn([ipBlock.cidr], party.ip) && !isIn(ipBlock.except ?? [], party.ip);
  if (!party.namespace) return false;
  const isThere = namespaceSelector ? selects(namespaceSelector, party.namespaceLabels) : party.namespace === own;
  return isThere && selects(podSelector ?? {}, party.labels);
}

const isPort = ({ ports }: Rule, port: number): boolean =>
  !ports || ports.some((each) => (each.protocol ?? "TCP") === "TCP" && (each.port === undefined || each.port === port));

function passes(
  policies: readonly Policy[],
  of: Party,
  way: "Ingress" | "Egress",
  other: Party,
  port: number,
): boolean {
  const deciding = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === of.namespace && spec.policyTypes.includes(way) && selects(spec.podSelector, of.labels),
  );
  if (deciding.length === 0) return true;
  return deciding.some(({ metadata, spec }) =>
    ((way === "Egress" ? spec.egress : spec.ingress) ?? []).some((rule) => {
      const peers = way === "Egress" ? rule.to : rule.from;
      return isPort(rule, port) && (!peers || peers.some((peer) => isPeer(peer, other, metadata.namespace)));
    }),
  );
}

/** Whether the policies let a TCP connection through, on both sides. */
export const isDeclared = (policies: readonly Policy[], from: Party, to: Party, port: number): boolean =>
  passes(policies, from, "Egress", to, port) && passes(policies, to, "Ingress", from, port);

export const policiesOf = (resources: readonly StateResource[]): Policy[] =>
  resources.flatMap(({ type, inputs }) =>
    type === "kubernetes:networking.k8s.io/v1:NetworkPolicy" ? [inputs as unknown as Policy] : [],
  );
