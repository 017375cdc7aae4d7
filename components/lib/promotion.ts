import * as pulumi from "@pulumi/pulumi";
import { parseReference } from "./imageReference";
import { type RegistryReader, pullVariables } from "./registryAccess";
import type { Patience } from "./registryClient";

/** What an earlier stage recorded about an application: never a secret. */
export interface Release {
  readonly image: string;
}

type Releases = Readonly<Record<string, Release>>;

/** A refusal comes within ten seconds, however the registry fails. */
const SOON: Patience = { timeoutMs: 5000, retryMs: 3000 };

/**
 * The images that earlier stages recorded, by application, each seen to lie in a registry. An update that could not bring
 * one here is refused before it has written anything; a preview warns, and leaves open what no stage has recorded yet.
 * Where the stage before is gone, what this environment runs already stays.
 */
export async function recordedImages(
  stack: string,
  apps: Readonly<Record<string, { readonly from?: string }>>,
  registry: RegistryReader,
): Promise<Record<string, string>> {
  const promoted = Object.entries(apps).flatMap(([app, { from }]) => (from ? [{ app, from }] : []));
  const stages = [...new Set(promoted.map(({ from }) => from))];
  const recorded = new Map(await Promise.all(stages.map(async (stage) => [stage, await releasesOf(stage)] as const)));
  const look = async ({ app, from }: { app: string; from: string }): Promise<[string, string][]> => {
    const none = `stack ${from} has recorded no image of "${app}"`;
    const image = recorded.get(from)?.[app]?.image;
    const kept = image ? undefined : await keptImage(stack, app, none);
    if (kept) return [[app, kept]];
    try {
      if (!image) throw new Error(`${none}: run npm run up -- --stack ${from} first`);
      await requirePresent(stack, from, image, registry);
    } catch (error) {
      if (!pulumi.runtime.isDryRun()) throw error;
      void pulumi.log.warn(`an update would be refused: ${(error as Error).message}`);
    }
    return image ? [[app, image]] : [];
  };
  return Object.fromEntries((await Promise.all(promoted.map(look))).flat());
}

async function keptImage(stack: string, app: string, why: string): Promise<string | undefined> {
  const image = (await releasesOf(stack))[app]?.image;
  if (image) void pulumi.log.warn(`${why}: ${stack} keeps ${image}, which it runs`);
  return image;
}

/**
 * Asked of the engine, and not kept: a StackReference would lie in this stack's state, where it makes every refresh fail
 * once the other stack is gone.
 */
async function releasesOf(stage: string): Promise<Releases> {
  const name = `organization/${pulumi.getProject()}/${stage}`;
  try {
    const found = (await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name })) as {
      outputs?: { releases?: Releases };
    };
    return found.outputs?.releases ?? {};
  } catch (error) {
    if (/unknown stack/.test((error as Error).message)) return {};
    throw new Error(`what stack ${stage} recorded cannot be read: ${(error as Error).message}`);
  }
}

async function requirePresent(stack: string, from: string, image: string, registry: RegistryReader): Promise<void> {
  const { repository, digest } = parseReference(image);
  const digestIn = async (environment: string): Promise<string | undefined> => {
    const found = await registry(environment, SOON);
    if (!found && environment === from) throw new Error(noLogin(from));
    return found?.digestOf(repository, digest);
  };
  // What is here already needs no source: the stage before may be down.
  const [here, there] = [digestIn(stack).catch(() => undefined), digestIn(from)];
  there.catch(() => undefined);
  if ((await here) || (await there)) return;
  throw new Error(
    `stack ${from} recorded ${image}, which its registry has no more: npm run up -- --stack ${from} after ` +
      `pulumi refresh -s ${from} pushes it again`,
  );
}

export function noLogin(environment: string): string {
  const { user, password } = pullVariables(environment);
  return (
    `no login for the registry of ${environment} is known: the cluster has no Secret regcred in ${environment}-registry. ` +
    `Is ${environment} up? Where it is on another cluster, set ${user} and ${password}.`
  );
}
