import * as pulumi from "@pulumi/pulumi";
import type { AppConfig } from "./appConfig";
import { tagOf } from "./buildContext";
import { parseReference } from "./imageReference";
import { type RegistryReader, pullVariables } from "./registryAccess";
import type { Patience } from "./registryClient";
import { type Wanted, judge } from "./releases/guards";
import { NO_ORDERS, type Orders } from "./releases/orders";
import { type Planned, planApp } from "./releases/plan";
import { type History, type Recorded, historyOf, named } from "./releases/record";
import { versionIn } from "./releases/version";

/** A refusal comes within ten seconds, however the registry fails. */
const SOON: Patience = { timeoutMs: 5000, retryMs: 3000 };

/** By application. */
export type Plan = Readonly<Record<string, Planned>>;

export function planOf(plan: Plan, app: string): Planned {
  const planned = plan[app];
  if (!planned) throw new Error(`nothing is planned for the application "${app}"`);
  return planned;
}

interface PlanArgs {
  readonly apps: Readonly<Record<string, AppConfig>>;
  readonly soak?: string;
  readonly registry: RegistryReader;
  /** Which decide the tag of what is built. */
  readonly baseImages: Readonly<Record<string, string>>;
  readonly orders?: Orders;
  readonly now?: Date;
}

/**
 * What becomes of each application: what its source or the stage before has, where nothing speaks against it; else what runs.
 * An update that must not be, or could not be carried out, is refused before it has written anything; a preview warns, and
 * leaves open what no stage has recorded yet. Where the stage before is gone, what this environment runs already stays.
 */
export async function planReleases(
  stack: string,
  { apps, soak, registry, baseImages, orders = NO_ORDERS, now = new Date() }: PlanArgs,
): Promise<Plan> {
  const stages = [...new Set([stack, ...Object.values(apps).flatMap(({ from }) => from ?? [])])];
  const records = new Map(await Promise.all(stages.map(async (stage) => [stage, await recordOf(stage)] as const)));
  const own = records.get(stack) ?? {};
  const refusals: string[] = [];

  const plan = async (app: string, config: AppConfig): Promise<Planned> => {
    const before = historyOf(app, own);
    const { source, from } = config;
    const wanted = source
      ? { tag: tagOf(source, baseImages), version: versionIn(source) }
      : wantedFrom(stack, app, from ?? "", records.get(from ?? ""), before, refusals);
    const step = { app, stack, from, wanted, running: before.good[0], soak, now };
    const verdict = judge(step, orders);
    const planned = planApp({ app, config, wanted, before, orders, overrides: verdict.overrides, now });
    const keeps = planned.frozen || planned.held;
    if (planned.held) void pulumi.log.warn(planned.held);
    if (!keeps) {
      refusals.push(...verdict.refusals);
      for (const { guard, reason } of verdict.overrides)
        void pulumi.log.warn(`${app} ${named(wanted)}: the guard "${guard}" is set aside: ${reason}`);
    }
    // Where the stage before is gone, nobody else could have it.
    if (planned.image && wanted !== before.good[0])
      await requirePresent(stack, from ?? stack, planned.image, registry).catch((error: Error) =>
        refusals.push(error.message),
      );
    return planned;
  };
  const runs = ([app]: [string, AppConfig]): boolean => historyOf(app, own).good.length > 0;
  const taken = Object.entries(apps).filter((entry) => !orders.infra || runs(entry));
  const planned = await Promise.all(taken.map(async ([app, config]) => [app, await plan(app, config)] as const));
  refuse(refusals, orders);
  return Object.fromEntries(planned);
}

function refuse(refusals: readonly string[], { check }: Orders): void {
  if (refusals.length === 0) return;
  if (!pulumi.runtime.isDryRun() || check) throw new Error(refusals.join("\n"));
  for (const each of refusals) void pulumi.log.warn(`an update would be refused: ${each}`);
}

/** What the stage before has; where it has nothing, what runs here already. */
function wantedFrom(
  stack: string,
  app: string,
  from: string,
  before: Recorded = {},
  { good: [running] }: History,
  refusals: string[],
): Wanted {
  const release = before.releases?.[app];
  if (release) return release;
  const none = `stack ${from} has recorded no image of "${app}"`;
  if (running) void pulumi.log.warn(`${none}: ${stack} keeps ${running.image}, which it runs`);
  else refusals.push(`${none}: run npm run up -- --stack ${from} first`);
  return running ?? {};
}

/**
 * Asked of the engine, and not kept: a StackReference would lie in this stack's state, where it makes every refresh fail
 * once the other stack is gone.
 */
async function recordOf(stage: string): Promise<Recorded> {
  const name = `organization/${pulumi.getProject()}/${stage}`;
  try {
    const found = (await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name })) as { outputs?: Recorded };
    return found.outputs ?? {};
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
