import { type Drift, type Findings, findDrift, mend } from "../drift";
import type { StateResource } from "../drift/state";
import { driftLine } from "./driftReport";
import { kubectl } from "./kubectl";
import type { Pulumi } from "./pulumi";
import type { Session } from "./session";

/** What is needed of Pulumi. */
export type Updating = Pick<Pulumi, "env" | "resources" | "refresh" | "update">;
type Say = (line: string) => void;
type Seen = Pick<Findings, "drift" | "left">;

/** What is brought back with its pods, and how long they may take. */
const WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet"];
const PATIENCE = "5m";

/**
 * An update, and an end to drift: Pulumi compares the program with its state, and does not see what hands did to the cluster.
 * What is gone, or in the way, is put back before, so that the update finds what it changes. All else is put back after it:
 * by then it may be what the program says, as when somebody mends by hand first and in the program second.
 */
export async function updateAndMend(
  pulumi: Updating,
  session: Session,
  say: Say,
  how: { previewed?: boolean } = {},
): Promise<number> {
  const before = await pulumi.resources();
  const { drift, left } = await driftIn(pulumi, before, say);
  await mendFirst(pulumi, before, drift);
  const code = await pulumi.update(how);
  // What the program left to others it may have taken back.
  const seen = new Set([...drift, ...left].map(({ urn }) => urn));
  if (code !== 0 || seen.size === 0) return code;
  const after = await pulumi.resources();
  const about = after.filter(({ urn, type }) => seen.has(urn) || type.startsWith("pulumi:providers:"));
  const still = (await findDrift(pulumi.env, about)).drift;
  await mend(pulumi.env, after, new Set(still.map(({ urn }) => urn)));
  const mended = [...drift, ...still];
  await rolledOut(session, mended);
  if (mended.length > 0) say(`put back: ${[...new Set(mended.map(({ kind, name }) => `${kind} ${name}`))].join(", ")}`);
  return code;
}

/** An update goes on where the comparison cannot: it says by itself what is wrong with a cluster. */
async function driftIn(pulumi: Updating, resources: readonly StateResource[], say: Say): Promise<Seen> {
  const nothing: Seen = { drift: [], left: [] };
  if (resources.length === 0) return nothing;
  try {
    const { drift, left, undecided } = await findDrift(pulumi.env, resources);
    for (const each of drift) say(`drift: ${driftLine(each)}`);
    for (const { kind, name, reason } of undecided) say(`not compared: ${kind} ${name}: ${reason}`);
    return { drift, left };
  } catch (error) {
    say(`what hands changed is not known: ${(error as Error).message}`);
    return nothing;
  }
}

/** Pulumi sees by itself what differs in Vault, once it looks there; what was made anew has other outputs than the state. */
async function mendFirst(
  pulumi: Updating,
  resources: readonly StateResource[],
  drift: readonly Drift[],
): Promise<void> {
  const typeOf = new Map(resources.map(({ urn, type }) => [urn, type]));
  const inVault = ({ urn }: Drift): boolean => typeOf.get(urn)?.startsWith("vault:") ?? false;
  const gone = drift.filter(({ change }) => change === "deleted");
  const first = drift.filter((each) => !inVault(each) && (each.change === "deleted" || each.blocking));
  await mend(pulumi.env, resources, new Set(first.map(({ urn }) => urn)));
  const looked = new Set([...gone, ...drift.filter(inVault)].map(({ urn }) => urn));
  if (looked.size > 0 && (await pulumi.refresh([...looked])) !== 0)
    throw new Error("what was put back could not be looked at (above): mend the cause and run npm run up again");
}

async function rolledOut(session: Session, drift: readonly Drift[]): Promise<void> {
  const workloads = drift.filter(({ kind }) => WORKLOADS.includes(kind));
  const unique = new Map(workloads.map((each) => [each.urn, each]));
  for (const { kind, name, namespace = "" } of unique.values())
    await kubectl(session, ["rollout", "status", `${kind}/${name}`, "-n", namespace, `--timeout=${PATIENCE}`]);
}
