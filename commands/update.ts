import type { Orders } from "../components/lib/releases/orders";
import { type Recorded, historyOf } from "../components/lib/releases/record";
import { updateAndMend } from "./mending";
import { withOrders } from "./orders";
import { INTERRUPTED, Pulumi } from "./pulumi";
import { type Failures, type Releases, type Revisions, Rollouts } from "./rollouts";
import type { Session } from "./session";

type Say = (line: string) => void;

/**
 * Updates a stack, and puts back what hands changed. Where a new version of an application never gets ready, the stack ends on
 * the last one that was good, and the other is recorded as rejected; the update has failed all the same, and says why.
 */
export async function update(
  session: Session,
  stack: string,
  orders: Partial<Orders>,
  say: Say,
  { previewed = false } = {},
): Promise<void> {
  const pulumi = new Pulumi(session, stack);
  const rollouts = new Rollouts(session, stack, say);
  const releases = async (): Promise<Releases> => releasesIn(await pulumi.outputs());
  const trial: Trial = {
    releases,
    revisions: () => rollouts.revisions(),
    run: async (failed, before) => {
      const isFirst = Object.keys(failed).length === 0;
      if (!isFirst) await takeNote(pulumi, Object.keys(failed));
      const ordered = new Pulumi(withOrders(session, isFirst ? orders : { ...orders, failed }), stack);
      return rollouts.during({ before, releases }, (events, signal) =>
        ordered.update({ previewed: previewed && isFirst, events, signal }),
      );
    },
    failures: (before, good) => rollouts.failures(before, good),
  };
  let failed: Failures = {};
  const code = await updateAndMend(pulumi, session, say, async () => {
    const outcome = await updateOrGoBack(trial, say);
    failed = outcome.failed;
    return outcome.code;
  });
  if (code !== 0)
    throw new Error(
      `pulumi up -s ${stack} failed (above); nothing is lost: mend the cause and run npm run up again${pulumi.lockHint}`,
    );
  if (Object.keys(failed).length > 0) throw new Error(heldBack(stack, failed));
}

/** What an update was ended in, the state does not know: going back would find nothing to do. */
async function takeNote(pulumi: Pulumi, apps: readonly string[]): Promise<void> {
  await pulumi.prepare();
  const own = new RegExp(`kubernetes:apps/v1:Deployment::(${apps.join("|")})-(server|blue|green)$`);
  const urns = (await pulumi.urns()).filter((urn) => own.test(urn));
  if (urns.length > 0 && (await pulumi.refresh(urns)) !== 0)
    throw new Error("what the update was ended in could not be looked at (above): run npm run up again");
}

function releasesIn(recorded: Recorded): Releases {
  const entries = Object.entries(recorded.releases ?? {}).map(([app, { image }]) => {
    const rejected = historyOf(app, recorded).rejected.map((each) => each.image);
    return [app, { image, rejected }] as const;
  });
  return Object.fromEntries(entries);
}

/** What going back needs of Pulumi and of the cluster. */
export interface Trial extends Pick<Rollouts, "revisions" | "failures"> {
  /** An update that is told what failed; resolves to the exit code. */
  readonly run: (failed: Failures, before: Revisions) => Promise<number>;
  readonly releases: () => Promise<Releases>;
}

/** An update, and where versions never get ready another one, which goes back to what was good before. */
export async function updateOrGoBack(trial: Trial, say: Say): Promise<{ code: number; failed: Failures }> {
  const before = await trial.revisions();
  for (let failed: Failures = {}; ;) {
    const code = await trial.run(failed, before);
    if (code === 0 || code === INTERRUPTED) return { code, failed };
    const found = Object.entries(await trial.failures(before, await trial.releases()));
    const more = found.filter(([app]) => !failed[app]);
    if (more.length === 0) return { code, failed };
    for (const [app] of more) say(`${app} never got ready: going back to what was good before`);
    failed = { ...failed, ...Object.fromEntries(more) };
  }
}

export const heldBack = (stack: string, failed: Failures): string =>
  [
    `${stack} runs what was good before, as a new version did not get ready:`,
    ...Object.entries(failed).map(([app, { image, reason }]) => `  ${app} (${image}): ${reason}`),
    `It is not tried again until it changes, or by npm run up -- --stack ${stack} ${Object.keys(failed)
      .map((app) => `--retry ${app}`)
      .join(" ")}`,
  ].join("\n");
