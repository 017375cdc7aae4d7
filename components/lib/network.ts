import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/**
 * The only ways through the default deny. Each function opens one path, on both sides where both are pods of ours,
 * with the exact port.
 */
export interface Peer {
  /** Names the policies of this peer; unique in its namespace. */
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  readonly selector: Readonly<Record<string, string>>;
}

export const NAMESPACE_LABEL = "kubernetes.io/metadata.name";

const podsOf = (peer: Peer): k8s.types.input.networking.v1.NetworkPolicyPeer => ({
  namespaceSelector: { matchLabels: { [NAMESPACE_LABEL]: peer.namespace } },
  podSelector: { matchLabels: peer.selector },
});

const portsOf = (port: number | readonly number[]): k8s.types.input.networking.v1.NetworkPolicyPort[] =>
  [port].flat().map((each) => ({ protocol: "TCP", port: each }));

type Direction =
  | Pick<k8s.types.input.networking.v1.NetworkPolicySpec, "egress">
  | Pick<k8s.types.input.networking.v1.NetworkPolicySpec, "ingress">;

/** Adds to what the pods of `peer` may do, in one direction. */
const allow = (
  name: string,
  peer: Peer,
  paths: Direction,
  opts: pulumi.CustomResourceOptions,
): k8s.networking.v1.NetworkPolicy =>
  new k8s.networking.v1.NetworkPolicy(
    name,
    {
      metadata: { name, namespace: peer.namespace },
      spec: {
        podSelector: { matchLabels: peer.selector },
        policyTypes: ["egress" in paths ? "Egress" : "Ingress"],
        ...paths,
      },
    },
    opts,
  );

/** Lets the pods of `from` connect to these ports of the pods of `to`, and nothing else. Gives both sides, for those who wait for them. */
export function link(
  from: Peer,
  to: Peer,
  port: number | readonly number[],
  opts: pulumi.CustomResourceOptions,
): k8s.networking.v1.NetworkPolicy[] {
  return [reach(from, to, port, opts), admit(from, to, port, opts)];
}

const nameOf = (from: Peer, to: Peer): string => `${from.name}-to-${to.name}`;

/** The half of a link that belongs to the stack of `from`, where `to` is another stack's, which has to write the other half. */
export const reach = (
  from: Peer,
  to: Peer,
  port: number | readonly number[],
  opts: pulumi.CustomResourceOptions,
): k8s.networking.v1.NetworkPolicy =>
  allow(`${nameOf(from, to)}-egress`, from, { egress: [{ to: [podsOf(to)], ports: portsOf(port) }] }, opts);

/** The other half. */
export const admit = (
  from: Peer,
  to: Peer,
  port: number | readonly number[],
  opts: pulumi.CustomResourceOptions,
): k8s.networking.v1.NetworkPolicy =>
  allow(`${nameOf(from, to)}-ingress`, to, { ingress: [{ from: [podsOf(from)], ports: portsOf(port) }] }, opts);

/**
 * Lets clients that are no pods (nodes pulling images, users behind a load balancer) connect to these ports. Pods stay out:
 * they take a link.
 */
export function fromOutsidePods(
  to: Peer,
  port: number | readonly number[],
  podCidrs: readonly string[],
  opts: pulumi.CustomResourceOptions,
): void {
  if (podCidrs.length === 0)
    throw new Error(
      `${to.name} cannot be opened to the outside alone: the cluster's nodes do not show which addresses their pods have, so every pod would get in. ` +
        `Name the ranges with platform:podCidrs, such as ["10.244.0.0/16"].`,
    );
  const from = [{ ipBlock: { cidr: "0.0.0.0/0", except: [...podCidrs] } }];
  allow(`${to.name}-from-outside`, to, { ingress: [{ from, ports: portsOf(port) }] }, opts);
}

/** Lets pods connect to addresses that the configuration names, wherever they are. */
export function toAddresses(
  from: Peer,
  role: string,
  cidrs: readonly string[],
  port: number,
  opts: pulumi.CustomResourceOptions,
): void {
  const to = cidrs.map((cidr) => ({ ipBlock: { cidr } }));
  allow(`${from.name}-to-${role}`, from, { egress: [{ to, ports: portsOf(port) }] }, opts);
}

/** Where a server answers that is no pod. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/**
 * Lets pods ask the API server. Policies see its own address and port, not those of its Service, so they are the ones that
 * the cluster itself names.
 */
export function toApiServer(from: Peer, apiServers: readonly Place[], opts: pulumi.CustomResourceOptions): void {
  if (apiServers.length === 0)
    throw new Error(
      `${from.name} cannot be let to the API server: the cluster names no address of it (endpoints of default/kubernetes)`,
    );
  const egress = apiServers.map(({ address, port }) => ({
    to: [{ ipBlock: { cidr: `${address}/32` } }],
    ports: portsOf(port),
  }));
  allow(`${from.name}-to-api-server`, from, { egress }, opts);
}

/** Nothing in, nothing out, for every pod of the namespace. */
export function defaultDeny(
  resourceName: string,
  namespace: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): k8s.networking.v1.NetworkPolicy {
  return new k8s.networking.v1.NetworkPolicy(
    resourceName,
    { metadata: { name: "default-deny", namespace }, spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } },
    opts,
  );
}

/** Name resolution by the cluster's DNS, which every pod needs. */
export function allowDns(
  resourceName: string,
  namespace: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): k8s.networking.v1.NetworkPolicy {
  return new k8s.networking.v1.NetworkPolicy(
    resourceName,
    {
      metadata: { name: "allow-dns", namespace },
      spec: {
        podSelector: {},
        policyTypes: ["Egress"],
        egress: [
          {
            to: [
              {
                namespaceSelector: { matchLabels: { [NAMESPACE_LABEL]: "kube-system" } },
                podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
              },
            ],
            ports: [
              { protocol: "UDP", port: 53 },
              { protocol: "TCP", port: 53 },
            ],
          },
        ],
      },
    },
    opts,
  );
}
