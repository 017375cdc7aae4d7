import { cores } from "../components/lib/quantities";
import { type Check, none, some } from "./check";
import { labelsOfNamespaces, ownPods } from "./pods";
import { podManifest } from "./probe";
import { image } from "../components/lib/target";
import type { Stand } from "./stand";

const LEVEL = "pod-security.kubernetes.io/enforce";
const COMPONENT = "app.kubernetes.io/component";

const ownNamespaces = async (stand: Stand): Promise<string[]> => Object.values((await stand.outputs()).namespaces);

async function oneConcernEach(stand: Stand): Promise<string> {
  const strays = (await stand.resources()).filter(({ type, inputs }) => {
    const metadata = inputs?.metadata as { namespace?: string } | undefined;
    return type.startsWith("kubernetes:") && metadata?.namespace === "default";
  });
  none(
    "in the namespace default",
    strays.map(({ urn }) => urn.split("::").slice(2).join(" ")),
  );
  const places = new Map<string, Set<string>>();
  for (const { metadata } of await ownPods(stand)) {
    const component = metadata.labels?.[COMPONENT];
    if (component) places.set(component, (places.get(component) ?? new Set()).add(metadata.namespace));
  }
  none(
    "one concern in several namespaces",
    some("component", [...places])
      .filter(([, namespaces]) => namespaces.size > 1)
      .map(([component, namespaces]) => `${component}: ${[...namespaces].join(", ")}`),
  );
  return (await ownNamespaces(stand)).join(", ");
}

/** Asked as a dry run, which admission judges like any other request. */
const refusal = async (stand: Stand, manifest: unknown): Promise<string> => {
  const { code, err } = await stand.tryKubectl(["create", "--dry-run=server", "-f", "-"], {
    input: JSON.stringify(manifest),
  });
  return code === 0 ? "" : err.trim();
};

const pod = (stand: Stand, namespace: string): ReturnType<typeof podManifest> =>
  podManifest({
    name: `check-${stand.run}`,
    namespace,
    image: image(stand.target, "busybox"),
    labels: {},
    command: ["true"],
  });

async function restricted(stand: Stand): Promise<void> {
  const labels = await labelsOfNamespaces(stand);
  const own = await ownNamespaces(stand);
  none(
    `without ${LEVEL}: restricted`,
    own.filter((name) => labels.get(name)?.[LEVEL] !== "restricted"),
  );
  await Promise.all(
    own.map(async (namespace) => {
      const sound = pod(stand, namespace);
      const rooted = { ...sound, spec: { ...sound.spec, securityContext: { runAsNonRoot: false, runAsUser: 0 } } };
      const said = await refusal(stand, rooted);
      if (!said) throw new Error(`${namespace} takes a pod that runs as root`);
      if (!/violates PodSecurity "restricted/.test(said))
        throw new Error(`${namespace} refuses it for another reason: ${said}`);
    }),
  );
}

interface Quota {
  readonly spec: { readonly hard: Readonly<Record<string, string>> };
}

async function limited(stand: Stand): Promise<void> {
  await Promise.all(
    (await ownNamespaces(stand)).map(async (namespace) => {
      const quotas = some(`quota in ${namespace}`, await stand.objects<Quota>("resourcequotas", namespace));
      const most = Math.max(...quotas.map(({ spec }) => cores(spec.hard["requests.cpu"] ?? "0") ?? 0));
      const greedy = pod(stand, namespace);
      const much = { cpu: String(Math.ceil(most) + 1), memory: "32Mi" };
      const [container] = greedy.spec.containers;
      const taking = { ...container, resources: { requests: much, limits: much } };
      const said = await refusal(stand, { ...greedy, spec: { ...greedy.spec, containers: [taking] } });
      if (!/exceeded quota/.test(said))
        throw new Error(
          `${namespace} has ${most} cores, and does not refuse a pod that wants ${much.cpu} for that: ${said || "it takes it"}`,
        );
    }),
  );
}

export const namespaceChecks: readonly Check[] = [
  { id: "000.6", title: "namespaces have one concern each, and nothing is in default", run: oneConcernEach },
  { id: "003.8", title: "every namespace refuses a pod that runs as root", run: restricted },
  { id: "002.9", title: "no namespace can take more of the cluster than its share", run: limited },
];
