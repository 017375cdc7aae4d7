import { NAME, type Reader, isText } from "./configReader";
import type { Faults } from "./faults";

/** The page's name among the applications, whose image it is built and promoted like. */
export const STATUS_PAGE = "status-page";
export const STATUS_COMPONENT = "status";

export interface StatusConfig {
  /** The environments whose applications it watches. */
  readonly environments: readonly string[];
  /** Folder with the Dockerfile, in a stack that builds. */
  readonly source?: string;
  /** The stack whose recorded image to run, in a stack that does not. */
  readonly from?: string;
  /** From question to question. */
  readonly seconds: number;
}

const LEAST_SECONDS = 5;
const USUAL = "15s";
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

const secondsOf = (duration: string): number => Number.parseInt(duration, 10) * (UNITS[duration.slice(-1)] ?? 0);

export const isEnvironmentList = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((each) => isText(each) && NAME.test(each)) &&
  new Set(value).size === value.length;

/** Nothing where the key says nothing: there is no page then. */
export function parseStatus(
  place: string,
  value: unknown,
  { build, apps }: { readonly build: boolean; readonly apps: Readonly<Record<string, unknown>> },
  reader: Reader,
  faults: Faults,
): StatusConfig | undefined {
  const given = reader.object(place, value, ["environments", "source", "from", "interval"]);
  if (Object.keys(given).length === 0) return undefined;
  const { environments, source, from } = given;
  if (!isEnvironmentList(environments))
    faults.add(`${place}.environments`, environments, 'a list of stacks such as ["dev", "qa", "prod"], each once');
  if (build && !isText(source))
    faults.add(`${place}.source`, source, "the folder with the page's Dockerfile, as platform:build is true");
  if (!build && !isText(from))
    faults.add(`${place}.from`, from, "the stack whose image to run, as platform:build is not true");
  if (apps[STATUS_PAGE])
    faults.add(`platform:apps.${STATUS_PAGE}`, apps[STATUS_PAGE], `another name, as ${place} has this one`);
  const interval = reader.duration(`${place}.interval`, given.interval, USUAL);
  const seconds = secondsOf(interval);
  if (seconds < LEAST_SECONDS || seconds > 3600)
    faults.add(`${place}.interval`, interval, `from ${LEAST_SECONDS}s to 1h`);
  return {
    environments: isEnvironmentList(environments) ? environments : [],
    source: build && isText(source) ? source : undefined,
    from: !build && isText(from) ? from : undefined,
    seconds,
  };
}
