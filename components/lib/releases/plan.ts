import type { AppConfig } from "../appConfig";
import { parseReference } from "../imageReference";
import type { Verdict, Wanted } from "./guards";
import type { Orders } from "./orders";
import {
  type Good,
  type History,
  type Rejection,
  bounded,
  fingerprint,
  isSameImage,
  moment,
  named,
  rejectionOf,
  settingsOf,
} from "./record";

/** What becomes of one application in this update. */
export interface Planned {
  /** As the stack file has it, or as it was when what runs was good. */
  readonly config: AppConfig;
  /** By digest; left out where it is built first, or where no stage has recorded one yet. */
  readonly image?: string;
  /** What is not taken, and why. */
  readonly held?: string;
  /** Its own image stays as it is, whatever its source says: nothing is built. */
  readonly frozen: boolean;
  /** What to record once this image is ready. */
  readonly recorded: (image: string, now: Date) => History;
}

export interface PlanOf {
  readonly app: string;
  readonly config: AppConfig;
  readonly wanted: Wanted;
  /** As the stack recorded it last. */
  readonly before: History;
  readonly orders: Orders;
  readonly overrides: Verdict["overrides"];
  readonly now: Date;
}

export function planApp(plan: PlanOf): Planned {
  const { app, config, wanted, before, orders } = plan;
  const history = judged(plan);
  const frozen = orders.infra || Object.keys(orders.rollBack).length > 0;
  const rejection = rejectionOf(history, wanted, settingsOf(config));
  const last = before.good.find((each) => !rejectionOf(history, each, each.settings));
  if (orders.rollBack[app] !== undefined && !last)
    throw new Error(`${app} has no earlier release to go back to, and nothing was done`);
  if (!last || !(frozen || rejection)) return fresh(plan, history);
  const why = rejection && `${named(rejection)} was rejected at ${rejection.at}: ${rejection.reason}`;
  return {
    config: last.settings ? { ...last.settings, source: config.source, from: config.from } : config,
    image: last.image,
    held: why && `${app} stays at ${named(last)}, as ${why}. --retry ${app} takes it again`,
    frozen,
    recorded: (image, now) => recorded(image, now, { ...last, settings: last.settings ?? settingsOf(config) }, history),
  };
}

/** The history with what this update is told of: what failed and what is rolled back is rejected, what is tried again is not. */
function judged({ app, config, wanted, before: { good, rejected }, orders, now }: PlanOf): History {
  const { failed, rollBack, retry } = orders;
  const settings = settingsOf(config);
  const kept = retry.includes(app) ? rejected.filter((each) => !isSameImage(each, wanted)) : rejected;
  const at = moment(now);
  const reject = (image: string, reason: string, version?: string, own = settings): Rejection => {
    const isGoodOtherwise = good.some(
      (each) => isSameImage(each, { image }) && each.settings && fingerprint(each.settings) !== fingerprint(own),
    );
    return {
      image,
      ...(version ? { version } : {}),
      ...(isGoodOtherwise ? { settings: fingerprint(own) } : {}),
      reason,
      at,
    };
  };
  const [running] = good;
  const [bad, reason] = [failed[app], rollBack[app]];
  const added = [
    ...(bad ? [reject(bad.image, bad.reason, wanted.version)] : []),
    ...(reason !== undefined && running
      ? [reject(running.image, reason, running.version, running.settings ?? settings)]
      : []),
  ];
  return bounded({ good, rejected: [...added, ...kept] });
}

function fresh({ config, wanted, overrides }: PlanOf, history: History): Planned {
  return {
    config,
    image: wanted.image,
    frozen: false,
    recorded: (image, now) => {
      const { tag, digest } = parseReference(image);
      const { version } = wanted;
      const entry: Good = {
        image,
        tag,
        digest,
        ...(version ? { version } : {}),
        ...(overrides.length > 0 ? { overrides } : {}),
        settings: settingsOf(config),
      };
      return recorded(image, now, entry, history);
    },
  };
}

/** What goes on running is healthy since it was; what comes, from now on. */
function recorded(image: string, now: Date, entry: Good, { good, rejected }: History): History {
  const [running] = good;
  const stays = running !== undefined && isSameImage(running, { image });
  const healthySince = (stays && running.healthySince) || moment(now);
  const overrides = entry.overrides ?? (stays ? running.overrides : undefined);
  const current: Good = { ...entry, image, healthySince, ...(overrides ? { overrides } : {}) };
  const isOther = (each: Good): boolean =>
    !isSameImage(each, current) ||
    (each.settings !== undefined &&
      current.settings !== undefined &&
      fingerprint(each.settings) !== fingerprint(current.settings));
  const history = { good, rejected };
  const earlier = good.filter((each) => isOther(each) && !rejectionOf(history, each, each.settings));
  return bounded({ good: [current, ...earlier], rejected });
}
