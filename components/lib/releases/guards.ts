import { secondsOf } from "../quantities";
import type { Orders } from "./orders";
import { type Good, type Override, isSameImage, moment, named } from "./record";
import { compareVersions } from "./semver";

/** What an application is to become, as far as that is known before anything is built. */
export interface Wanted {
  readonly image?: string;
  /** Of what is built here. */
  readonly tag?: string;
  readonly version?: string;
  /** In the stage before. */
  readonly healthySince?: string;
}

export interface Step {
  readonly app: string;
  readonly stack: string;
  /** The stage before; none where the stack builds. */
  readonly from?: string;
  readonly wanted: Wanted;
  /** What runs, if something does. */
  readonly running?: Good;
  /** How long it has to have been healthy in the stage before. @example "10m" */
  readonly soak?: string;
  readonly now: Date;
}

export interface Verdict {
  readonly refusals: readonly string[];
  /** The guards that would have refused, had nobody set them aside. */
  readonly overrides: readonly Override[];
}

type Guard = (step: Step) => string | undefined;

/** Judges what changes an application's image: what stays needs no leave. */
export function judge(step: Step, { allowLower, allowEarly, by }: Orders): Verdict {
  const { app, running, wanted } = step;
  if (running && isSameImage(wanted, running) && !isLower(step)) return { refusals: [], overrides: [] };
  const set = { lower: allowLower[app], early: allowEarly[app] };
  const lower = lowerVersion(step);
  const early = tooEarly(step);
  const overrides = (["lower", "early"] as const).flatMap((guard): Override[] => {
    const reason = set[guard];
    const refused = guard === "lower" ? lower : early;
    return refused && reason ? [{ guard, reason, ...(by ? { by } : {}) }] : [];
  });
  const refusals = [noVersion(step), set.lower ? undefined : lower, set.early ? undefined : early, otherDigest(step)];
  return { refusals: refusals.flatMap((each) => each ?? []), overrides };
}

const isLower = ({ wanted: { version }, running }: Step): boolean =>
  Boolean(version && running?.version) && compareVersions(version ?? "", running?.version ?? "") < 0;

const lowerVersion: Guard = (step) => {
  const { app, stack, wanted, running } = step;
  if (!running || !isLower(step)) return undefined;
  return (
    `${app} ${named(wanted)} is lower than ${named(running)}, which runs in ${stack}: release a higher version, ` +
    `npm run rollback -- --stack ${stack} ${app} for the one before, or --allow-lower ${app}=REASON`
  );
};

const noVersion: Guard = ({ app, from, wanted }) =>
  from && wanted.image && !wanted.version
    ? `stack ${from} has recorded no version of ${app} ${named(wanted)}: npm run up -- --stack ${from} records it`
    : undefined;

const otherDigest: Guard = ({ app, stack, from, wanted, running }) => {
  if (!from || !wanted.version || wanted.version !== running?.version || isSameImage(wanted, running)) return undefined;
  return (
    `${app} ${named(running)} runs in ${stack}, and ${from} has another image under the same version, ${named(wanted)}: ` +
    `raise the version in the application's package.json or VERSION, and bring ${from} up with it`
  );
};

const tooEarly: Guard = ({ app, stack, from, wanted, soak, now }) => {
  if (!from || !wanted.image || !soak) return undefined;
  const since = wanted.healthySince ? Date.parse(wanted.healthySince) : NaN;
  const asked = `${stack} takes what was healthy there for ${soak} (platform:promotion.soak)`;
  const remedy = `or --allow-early ${app}=REASON`;
  if (Number.isNaN(since))
    return `${from} does not say since when ${app} ${named(wanted)} is healthy, and ${asked}: npm run up -- --stack ${from} records it, ${remedy}`;
  const due = since + secondsOf(soak) * 1000;
  if (due <= now.getTime()) return undefined;
  return `${app} ${named(wanted)} is healthy in ${from} since ${moment(since)}, and ${asked}: try again after ${moment(due)}, ${remedy}`;
};
