import { ENVIRONMENT_LABEL, selector } from "../components/lib/labels";
import { type Check, Skip, none, some } from "./check";
import { type Party, isDeclared, policiesOf } from "./paths";
import { type Pod, isServing, labelsOfNamespaces, ownPods, podsOf } from "./pods";
import { type Probe, settled, withProbe } from "./probe";
import type { Stand } from "./stand";

/** Something that takes connections. */
interface Place {
  readonly name: string;
  readonly party: Party;
  readonly port: number;
}

interface Node {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly addresses: readonly { readonly type: string; readonly address: string }[];
    readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port: number } };
  };
}

interface Service {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: { readonly ports?: readonly { readonly port: number; readonly protocol?: string }[] };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

const at = ({ party, port }: Place): string => `${party.ip}:${port}`;

async function placesOfPods(stand: Stand, pods: readonly Pod[]): Promise<Place[]> {
  const namespaces = await labelsOfNamespaces(stand);
  return pods.filter(isServing).flatMap(({ metadata, spec, status }) =>
    spec.containers
      .flatMap(({ ports = [] }) => ports.filter(({ protocol = "TCP" }) => protocol === "TCP"))
      .map(({ containerPort }) => ({
        name: `${metadata.namespace}/${metadata.name}`,
        party: {
          ip: status.podIP ?? "",
          namespace: metadata.namespace,
          namespaceLabels: namespaces.get(metadata.namespace),
          labels: metadata.labels,
        },
        port: containerPort,
      })),
  );
}

/** Answers every probe that asks at all: without it, a probe that cannot connect would look like a closed network. */
async function names(stand: Stand): Promise<Place[]> {
  const pods = await stand.objects<Pod>("pods", "kube-system");
  const serving = pods.filter(({ metadata }) => metadata.labels?.["k8s-app"] === "kube-dns");
  return some("pod of the cluster's DNS", await placesOfPods(stand, serving)).filter(({ port }) => port === 53);
}

/** What answers outside of all pods, on every cluster: the API server, and the kubelets of other nodes than the pod's own. */
async function outside(stand: Stand, ownNode: string): Promise<Place[]> {
  const nodes = (JSON.parse(await stand.kubectl(["get", "nodes", "-o", "json"])) as { items: Node[] }).items;
  const addresses = ({ status }: Node): string[] =>
    status.addresses.filter(({ type }) => type === "InternalIP").map(({ address }) => address);
  const kubelets = nodes.flatMap((node) =>
    addresses(node).map((ip) => ({
      name: `the kubelet of ${node.metadata.name}`,
      party: { ip },
      port: node.status.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250,
    })),
  );
  const { apiServers } = await stand.facts();
  const servers = apiServers.map(({ address, port }) => ({ name: "the API server", party: { ip: address }, port }));
  // A pod may always talk to the node it is on, whatever a policy says.
  const own = nodes.filter(({ metadata }) => metadata.name === ownNode).flatMap(addresses);
  return [...kubelets, ...servers].filter(({ party }) => !own.includes(party.ip));
}

async function ofOthers(stand: Stand): Promise<Place[]> {
  const namespaces = await labelsOfNamespaces(stand);
  const others = [...namespaces].flatMap(([name, labels]) =>
    (labels[ENVIRONMENT_LABEL] ?? stand.stack) === stand.stack ? [] : [name],
  );
  const each = await Promise.all(
    others.map(async (namespace) => {
      const pods = await placesOfPods(stand, await podsOf(stand, namespace));
      const services = await stand.objects<Service>("services", namespace);
      return [...pods, ...services.flatMap(balanced)];
    }),
  );
  return each.flat();
}

const balanced = ({ metadata, spec, status }: Service): Place[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) =>
    (spec.ports ?? []).flatMap(({ port, protocol = "TCP" }) =>
      ip && protocol === "TCP"
        ? [{ name: `the load balancer of ${metadata.namespace}/${metadata.name}`, party: { ip }, port }]
        : [],
    ),
  );

/** Connects to every place from a pod with these labels, and compares with what the stack declares. */
async function compare(
  stand: Stand,
  role: string,
  labels: Readonly<Record<string, string>>,
  look: (stand: Stand, node: string) => Promise<readonly Place[]>,
): Promise<{ open: Place[]; closed: number }> {
  const namespace = (await stand.outputs()).namespaces.apps ?? "";
  const policies = policiesOf(await stand.resources());
  const namespaceLabels = (await labelsOfNamespaces(stand)).get(namespace);
  return withProbe(stand, { role, namespace, labels }, async (probe: Probe) => {
    const from = { ip: probe.ip, namespace, namespaceLabels, labels };
    const places = [...some("place", await look(stand, probe.node)), ...(await names(stand))];
    const isWanted = ({ party, port }: Place): boolean => isDeclared(policies, from, party, port);
    const differs = (open: readonly string[]): Place[] =>
      places.filter((place) => isWanted(place) !== open.includes(at(place)));
    const open = await settled(
      () => probe.open(places.map(at)),
      (found) => differs(found).length === 0,
    );
    none(
      "traffic differs from what is declared",
      differs(open).map((place) => `${place.name} at ${at(place)} is ${isWanted(place) ? "closed" : "open"}`),
    );
    return { open: places.filter((place) => open.includes(at(place))), closed: places.length - open.length };
  });
}

const ownPlaces = async (stand: Stand): Promise<Place[]> => placesOfPods(stand, await ownPods(stand));

const applications = (stand: Stand): string[] => {
  const names = Object.keys(stand.config.apps);
  if (names.length === 0) throw new Skip("the stack has no application");
  return names;
};

const insider = (name: string): Record<string, string> => selector({ environment: "", component: "app", name });

async function fromApplications(
  stand: Stand,
  role: string,
  look: (stand: Stand, node: string) => Promise<readonly Place[]>,
): Promise<string> {
  const found = await Promise.all(
    applications(stand).map(async (name) => {
      const { open, closed } = await compare(stand, `${role}-${name}`, insider(name), look);
      return `${name}: ${open.map((place) => `${place.name}:${place.port}`).join(", ")}; ${closed} closed`;
    }),
  );
  return found.join("\n");
}

async function fromStranger(stand: Stand): Promise<string> {
  const everything = async (own: Stand, node: string): Promise<Place[]> => [
    ...(await ownPlaces(own)),
    ...(await outside(own, node)),
  ];
  const { open, closed } = await compare(stand, "stranger", {}, everything);
  none(
    "a stranger is let in",
    open.filter(({ party }) => party.namespace !== "kube-system").map((place) => `${place.name} at ${at(place)}`),
  );
  return `${closed} closed`;
}

async function fromNeighbours(stand: Stand): Promise<string> {
  if ((await ofOthers(stand)).length === 0) throw new Skip("no other environment is on the cluster");
  return fromApplications(stand, "neighbour", ofOthers);
}

export const networkChecks: readonly Check[] = [
  {
    id: "002.2",
    title: "each application reaches what it is connected to, and no other pod of its environment",
    run: (stand: Stand): Promise<string> => fromApplications(stand, "insider", ownPlaces),
  },
  {
    id: "002.3",
    title: "no application reaches the API server or a node, which stand for all that is no pod",
    run: (stand: Stand): Promise<string> => fromApplications(stand, "outside", outside),
  },
  { id: "003.22", title: "a pod without an application's labels reaches nothing but names", run: fromStranger },
  { id: "002.9", title: "from this environment nothing of the others can be reached", run: fromNeighbours },
];
