import type { Stand } from "../checks/stand";
import { imageOrigins } from "../components/lib/target";
import type { Placed } from "../policy/check";
import type { Manifest } from "../policy/rules/manifest";
import { asWritten, ofThese } from "../policy/running";
import type { Choice } from "./cluster";
import { removeSalt } from "./session";
import { standing } from "./standing";

type Looking = Pick<Stand, "stack" | "tryKubectl" | "resources" | "outputs" | "target">;

interface StackObjects {
  readonly documents: Placed[];
  /** What could not be read, each with the reason. */
  readonly unread: string[];
  /** Where its images may come from, as when it was deployed. */
  readonly origins: readonly string[];
}

/** What controllers keep for themselves: no rule looks into it, and there is much of it. */
const BY_PRODUCTS = [
  "bindings",
  "controllerrevisions.apps",
  "endpoints",
  "endpointslices.discovery.k8s.io",
  "events",
  "events.events.k8s.io",
  "leases.coordination.k8s.io",
  "podmetrics.metrics.k8s.io",
  "pods.metrics.k8s.io",
];
const SECRETS = "secrets";

const lines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

interface Got {
  readonly out: string;
  readonly unread: string[];
}

/** kubectl goes on after what it may not see, and gives the rest. */
async function get(stand: Looking, args: readonly string[]): Promise<Got> {
  const { code, out, err } = await stand.tryKubectl(["get", "--request-timeout=30s", ...args]);
  const refused = lines(err).filter((line) => line.startsWith("Error from server"));
  if (code !== 0 && refused.length === 0)
    throw new Error(`the cluster does not answer: ${lines(err)[0] ?? `kubectl ended with ${code}`}`);
  return { out, unread: refused.map((line) => line.replace(/^Error from server (\(\w+\))?:?\s*/, "")) };
}

async function objects(stand: Looking, args: readonly string[]): Promise<{ found: Manifest[]; unread: string[] }> {
  const { out, unread } = await get(stand, [...args, "-o", "json", "--show-managed-fields"]);
  const { items = [] } = (out.trim() === "" ? {} : JSON.parse(out)) as { readonly items?: Manifest[] };
  return { found: items, unread };
}

/** Names and the names of keys, and nothing else: no value of a Secret comes here. */
const NAMES = `{{range .items}}{{.metadata.name}}{{range $key, $value := .data}} {{$key}}{{end}}{{"\\n"}}{{end}}`;

async function secrets(stand: Looking, namespace: string): Promise<{ found: Manifest[]; unread: string[] }> {
  const { out, unread } = await get(stand, [SECRETS, "-n", namespace, "-o", `go-template=${NAMES}`]);
  const found = lines(out).map((line) => {
    const [name, ...keys] = line.split(" ");
    const data = Object.fromEntries(keys.map((key) => [key, ""]));
    return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, data };
  });
  return { found, unread };
}

/** Those that the stack made, the cluster's services among them where it installs them. */
async function namespacesOf(stand: Looking): Promise<string[]> {
  const made = (await stand.resources())
    .filter(({ type }) => type === "kubernetes:core/v1:Namespace")
    .map(({ inputs }) => (inputs?.metadata as { name?: string } | undefined)?.name ?? "");
  return [...new Set([...Object.values((await stand.outputs()).namespaces), ...made])].filter((name) => name !== "");
}

async function kindsOf(stand: Looking): Promise<string[]> {
  const { out, err } = await stand.tryKubectl(["api-resources", "--namespaced", "--verbs=list", "-o", "name"]);
  const kinds = lines(out).filter((kind) => kind !== SECRETS && !BY_PRODUCTS.includes(kind));
  if (kinds.length > 0) return kinds;
  throw new Error(`the cluster does not answer: ${lines(err)[0] ?? "it lists no kinds"}`);
}

/** Those of its namespaces, and what gives their accounts rights from outside. */
export async function objectsOf(stand: Looking): Promise<StackObjects> {
  const [namespaces, kinds] = await Promise.all([namespacesOf(stand), kindsOf(stand)]);
  const own = [await objects(stand, ["namespaces", ...namespaces, "--ignore-not-found"])];
  // One after the other, for the cluster often runs on the same machine.
  for (const namespace of namespaces) {
    const found = [objects(stand, [kinds.join(), "-n", namespace]), secrets(stand, namespace)];
    own.push(...(await Promise.all(found)));
  }
  const rights = await objects(stand, ["clusterroles,clusterrolebindings"]);
  const inside = own.flatMap(({ found }) => found);
  const written = asWritten([...inside, ...ofThese(namespaces, inside, rights.found)]);
  return {
    documents: written.map((each, index) => ({ ...each, index, file: `stack ${stand.stack}` })),
    unread: [...new Set([...own, rights].flatMap(({ unread }) => unread))].map((why) => `stack ${stand.stack}: ${why}`),
    origins: imageOrigins(stand.target, stand.stack),
  };
}

/** The objects of a stack that runs. */
export async function readStack(stack: string, choice: Choice): Promise<StackObjects> {
  try {
    return await objectsOf(await standing(stack, choice));
  } finally {
    removeSalt(stack);
  }
}
