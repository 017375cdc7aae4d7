import * as fs from "node:fs";
import * as path from "node:path";
import { vaultToken } from "../checks/vault";
import { isRefused } from "../components/lib/apiServer";
import { readKubeconfig } from "../components/lib/kubeconfig";
import { Cluster } from "./cluster";
import { type Difference, type LiveObject, differences, unasked } from "./compare";
import { type Path, shown, valueAt } from "./fields";
import { type StateResource, type Wanted, clusterOf, isLive, wantedObjects } from "./state";
import { type AskVault, type VaultObject, vaultAt, vaultDifferences, vaultObjects } from "./vault";

/** One field of one object that is not as the stack wants it, or a whole object that is gone. */
export interface Drift {
  readonly urn: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly change: "deleted" | "changed" | "added" | "removed";
  readonly path?: string;
  readonly wanted?: unknown;
  readonly found?: unknown;
  /** Who wrote it, where that is known. */
  readonly manager?: string;
  readonly time?: string;
  /** The stack's word cannot even be applied before this is put right. */
  readonly blocking?: true;
  /** The program leaves this field to others: no drift, as long as it does. */
  readonly left?: true;
}

export interface Undecided {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly reason: string;
}

export interface Findings {
  readonly compared: number;
  readonly drift: readonly Drift[];
  readonly undecided: readonly Undecided[];
  /** What differs in fields that the program leaves to others, such as the replicas that an autoscaler has chosen. */
  readonly left: readonly Drift[];
  /** Types of objects in the state that have nothing to compare with, or that nobody here knows how to find. */
  readonly unknown: readonly string[];
}

const HIDDEN = "[secret]";
/** Have nothing outside of the state that could drift: values, and images, which are found by their digest. */
const STATE_ONLY = /^(pulumi|random|docker|command|tls):/;

/** Compares what a stack's state wants with what there is; writes nothing. */
export async function findDrift(env: NodeJS.ProcessEnv, resources: readonly StateResource[]): Promise<Findings> {
  const objects = wantedObjects(resources);
  const vault = vaultObjects(resources);
  const others = resources.filter((each) => isLive(each) && !/^(kubernetes|vault):/.test(each.type));
  const cluster = new Cluster(readKubeconfig(env));
  await cluster.expect(clusterOf(resources));
  const [inCluster, inVault] = await Promise.all([
    ofCluster(cluster, objects),
    vault.address && vault.objects.length > 0 ? ofVault(env, vault.address, vault.objects) : [],
  ]);
  const all = [...inCluster, ...inVault];
  const differing = all.filter((each): each is Drift => "change" in each);
  const unknown = others.map(({ type }) => type).filter((type) => !STATE_ONLY.test(type));
  return {
    compared: objects.length + vault.objects.length,
    drift: differing.filter(({ left }) => !left),
    left: differing.filter(({ left }) => left),
    undecided: all.filter((each): each is Undecided => "reason" in each),
    unknown: [...new Set([...unknown, ...vault.unknown])],
  };
}

/** Brings objects of the cluster back to what the state wants, in the order in which they were made. */
export async function mend(
  env: NodeJS.ProcessEnv,
  resources: readonly StateResource[],
  urns: ReadonlySet<string>,
): Promise<void> {
  if (urns.size === 0) return;
  const cluster = new Cluster(readKubeconfig(env));
  await cluster.expect(clusterOf(resources));
  for (const wanted of wantedObjects(resources).filter(({ urn }) => urns.has(urn)))
    await cluster.mend(wanted, await cluster.live(wanted));
}

const identity = ({ urn, object: { kind, metadata } }: Wanted): Pick<Drift, "urn" | "kind" | "namespace" | "name"> => ({
  urn,
  kind,
  namespace: metadata.namespace,
  name: metadata.name,
});

type Found = readonly (Drift | Undecided)[];

async function ofCluster(cluster: Cluster, objects: readonly Wanted[]): Promise<Found> {
  const found = await Promise.all(
    objects.map(async (wanted): Promise<Found> => {
      try {
        return await ofObject(cluster, wanted);
      } catch (error) {
        return [{ ...identity(wanted), reason: (error as Error).message }];
      }
    }),
  );
  return found.flat();
}

async function ofObject(cluster: Cluster, wanted: Wanted): Promise<Found> {
  const live = await cluster.live(wanted);
  if (!live) return endsByItself(wanted) ? [] : [{ ...identity(wanted), change: "deleted" }];
  if (live.metadata.deletionTimestamp)
    return [{ ...identity(wanted), change: "deleted", time: live.metadata.deletionTimestamp }];
  return (await differing(cluster, wanted, live)).map((each) => driftOf(wanted, each));
}

async function differing(cluster: Cluster, wanted: Wanted, live: LiveObject): Promise<Difference[]> {
  try {
    return differences(live, await cluster.applied(wanted, live), wanted.fieldManager, wanted.ignored);
  } catch (error) {
    // What a hand has added can stand in the way of what the stack wants, such as a second port of one name.
    const added = unasked(live.metadata.managedFields ?? [], wanted.fieldManager, wanted.ignored);
    if (!isRefused(error) || added.length === 0) throw error;
    return added.map(({ path, by }) => ({ path, by, found: valueAt(live, path), blocking: true }));
  }
}

function driftOf(wanted: Wanted, { path, by, ...values }: Difference): Drift {
  const hidden = wanted.secret.some((each) => overlap(path, each));
  const hide = (value: unknown): unknown => (value === undefined || !hidden ? value : HIDDEN);
  return {
    ...identity(wanted),
    change: values.wanted === undefined ? "added" : values.found === undefined ? "removed" : "changed",
    path: shown(path),
    wanted: hide(values.wanted),
    found: hide(values.found),
    manager: by?.manager,
    time: by?.time,
    blocking: values.blocking,
    left: values.left,
  };
}

/** A list's items are known by number in the state and may be by key in the cluster: such steps count as the same. */
function overlap(path: Path, secret: Path): boolean {
  const length = Math.min(path.length, secret.length);
  return Array.from({ length }, (_, index) => index).every(
    (index) => path[index] === secret[index] || !(path[index]?.startsWith("f:") && secret[index]?.startsWith("f:")),
  );
}

/** A Job that Kubernetes removes some time after its end. */
const endsByItself = ({ object }: Wanted): boolean =>
  object.kind === "Job" && valueAt(object, ["f:spec", "f:ttlSecondsAfterFinished"]) !== undefined;

async function ofVault(env: NodeJS.ProcessEnv, address: string, objects: readonly VaultObject[]): Promise<Found> {
  let askVault: AskVault;
  try {
    askVault = vaultAt(
      address,
      env.VAULT_TOKEN || (await vaultToken(path.join(__dirname, ".."), env, address)),
      env.SSL_CERT_FILE ? fs.readFileSync(env.SSL_CERT_FILE) : undefined,
    );
  } catch (error) {
    return [{ kind: "Vault", name: address, reason: (error as Error).message }];
  }
  const found = await Promise.all(
    objects.map(async (object): Promise<Found> => {
      const { urn, kind, name } = object;
      try {
        const result = await vaultDifferences(object, askVault);
        if (result === "gone") return [{ urn, kind, name, change: "deleted" }];
        return result.map(({ field, ...values }) => ({ urn, kind, name, change: "changed", path: field, ...values }));
      } catch (error) {
        return [{ kind, name, reason: (error as Error).message }];
      }
    }),
  );
  return found.flat();
}
