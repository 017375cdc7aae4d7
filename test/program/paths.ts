import type { Fields, Registered } from "../unit/components/recorder";

type Labels = Readonly<Record<string, string>>;

interface Port {
  readonly protocol: string;
  readonly port: number;
}

interface Peer {
  readonly namespaceSelector?: { readonly matchLabels: Labels };
  readonly podSelector?: { readonly matchLabels: Labels };
  readonly ipBlock?: unknown;
}

interface Policy {
  readonly namespace: string;
  readonly podSelector: { readonly matchLabels?: Labels };
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly { readonly from?: readonly Peer[]; readonly ports: readonly Port[] }[];
  readonly egress?: readonly { readonly to?: readonly Peer[]; readonly ports: readonly Port[] }[];
}

interface Metadata {
  readonly labels: Labels;
}

interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
}

const ANYTHING = "anything";
const NAMESPACE = "kubernetes.io/metadata.name";
const selects = (wanted: Labels | undefined, labels: Labels): boolean =>
  Object.entries(wanted ?? {}).every(([key, value]) => labels[key] === value);

const isPeer = (peer: Peer, pod: Pod): boolean =>
  !peer.ipBlock &&
  selects(peer.namespaceSelector?.matchLabels, { [NAMESPACE]: pod.namespace }) &&
  selects(peer.podSelector?.matchLabels, pod.labels);

const portsOf = (rules: readonly { ports: readonly Port[] }[]): string[] =>
  rules.flatMap(({ ports }) => ports.map(({ protocol, port }) => `${protocol} ${port}`));

/**
 * Every way that the NetworkPolicies leave open between the pods of a program, or from outside to them, as
 * `namespace/pod → namespace/pod TCP port`. Where a namespace denies nothing, everything is open, and shows as `anything`.
 */
export function pathsOf(resources: readonly Registered[]): string[] {
  const specOf = ({ inputs }: Registered): Fields => inputs.spec as Fields;
  const namespaceOf = ({ inputs }: Registered): string => (inputs.metadata as { namespace: string }).namespace;
  const policies = resources
    .filter(({ type }) => type.endsWith(":NetworkPolicy"))
    .map((each) => ({ ...(specOf(each) as unknown as Policy), namespace: namespaceOf(each) }));
  const pods = resources.flatMap((each): Pod[] => {
    const spec = each.inputs.spec as { template?: { metadata: Metadata }; podMetadata?: Metadata } | undefined;
    // Operators make pods too, with the labels that their resource names.
    const metadata = spec?.template?.metadata ?? spec?.podMetadata;
    if (!metadata) return [];
    const { name } = each.inputs.metadata as { name: string };
    return [{ name: `${namespaceOf(each)}/${name}`, namespace: namespaceOf(each), labels: metadata.labels }];
  });
  /** The policies that decide about a pod's traffic in one direction; without one, everything passes. */
  const deciding = (pod: Pod, direction: "Ingress" | "Egress"): Policy[] =>
    policies.filter(
      ({ namespace, podSelector, policyTypes }) =>
        policyTypes.includes(direction) && namespace === pod.namespace && selects(podSelector.matchLabels, pod.labels),
    );
  const leaving = (from: Pod, to: Pod): string[] => {
    const decide = deciding(from, "Egress");
    if (decide.length === 0) return [ANYTHING];
    const rules = decide.flatMap(({ egress = [] }) => egress);
    return portsOf(rules.filter(({ to: peers }) => !peers || peers.some((peer) => isPeer(peer, to))));
  };
  const entering = (to: Pod, isSource: (peer: Peer) => boolean): string[] => {
    const decide = deciding(to, "Ingress");
    if (decide.length === 0) return [ANYTHING];
    const rules = decide.flatMap(({ ingress = [] }) => ingress);
    return portsOf(rules.filter(({ from: peers }) => !peers || peers.some(isSource)));
  };

  const between = pods.flatMap((from) =>
    pods.flatMap((to) => {
      const [out, into] = [leaving(from, to), entering(to, (peer) => isPeer(peer, from))];
      const ports = out.includes(ANYTHING)
        ? into
        : into.includes(ANYTHING)
          ? out
          : into.filter((port) => out.includes(port));
      return ports.map((port) => `${from.name} → ${to.name} ${port}`);
    }),
  );
  const outside = pods.flatMap((to) =>
    entering(to, ({ ipBlock }) => ipBlock !== undefined).map((port) => `outside → ${to.name} ${port}`),
  );
  return [...between, ...outside].sort();
}
