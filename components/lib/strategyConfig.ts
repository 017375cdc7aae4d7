import { type Reader, isText } from "./configReader";
import type { Faults } from "./faults";

const KEYS = ["type", "steps", "seconds", "smoke", "errors", "latency", "keep"];
const TYPES = ["rolling", "blue-green", "canary"] as const;
const ALL = 100;

/** How a new version takes over from the old one beside which it was started. */
export interface Strategy {
  readonly type: "blue-green" | "canary";
  /** Percent of the requests at the edge that the new version gets before it gets all, step by step; of a canary. */
  readonly steps: readonly number[];
  /** How long it is looked at before it gets any, at each step, and once it has all. */
  readonly seconds: number;
  /** Paths that the switch asks of each new pod; any answer below 500 will do. */
  readonly smoke: readonly string[];
  /** Percent of its answers that may be 5xx. */
  readonly errors: number;
  /** Milliseconds within which 95 of 100 of its answers come. */
  readonly latency: number;
  /** How long the old version is kept. */
  readonly keep: string;
}

export const USUAL_STRATEGY: Omit<Strategy, "type"> = {
  steps: [10, 50],
  seconds: 20,
  smoke: ["/"],
  errors: 1,
  latency: 1200,
  keep: "10m",
};

/** A name of a strategy, or an object with it; nothing for a rollout in place. */
export function parseStrategy(place: string, value: unknown, reader: Reader, faults: Faults): Strategy | undefined {
  if (value === undefined) return undefined;
  const isObject = typeof value === "object";
  const given = isObject ? reader.object(place, value, KEYS) : { type: value };
  const type = reader.oneOf(isObject ? `${place}.type` : place, given.type, TYPES);
  const usual = USUAL_STRATEGY;
  const rest = Object.keys(given).filter((key) => key !== "type");
  if (type === "rolling") {
    for (const key of rest)
      faults.add(`${place}.${key}`, given[key], "nothing, as a rollout in place has no such step");
    return undefined;
  }
  if (type === "blue-green" && given.steps !== undefined)
    faults.add(`${place}.steps`, given.steps, "nothing, as all requests move at once: shares are for canary");
  const number = (key: "seconds" | "errors" | "latency", min: number, max: number): number =>
    given[key] === undefined ? usual[key] : reader.integer(`${place}.${key}`, given[key], min, max);
  return {
    type,
    steps: type === "canary" ? steps(`${place}.steps`, given.steps, faults) : [],
    seconds: number("seconds", 5, 120),
    smoke: smoke(`${place}.smoke`, given.smoke, faults),
    errors: number("errors", 0, ALL),
    latency: number("latency", 10, 60_000),
    keep: reader.duration(`${place}.keep`, given.keep, usual.keep),
  };
}

function steps(place: string, value: unknown, faults: Faults): readonly number[] {
  if (value === undefined) return USUAL_STRATEGY.steps;
  const isShare = (each: unknown): each is number => Number.isInteger(each) && Number(each) > 0 && Number(each) < ALL;
  const list: unknown[] = Array.isArray(value) ? value : [];
  const shares = list.filter(isShare);
  const rises = shares.every((each, index) => index === 0 || each > (shares[index - 1] ?? 0));
  if (list.length >= 1 && list.length <= 5 && shares.length === list.length && rises) return shares;
  faults.add(place, value, "one to five percentages from 1 to 99, each above the one before, such as [10, 50]");
  return USUAL_STRATEGY.steps;
}

function smoke(place: string, value: unknown, faults: Faults): readonly string[] {
  if (value === undefined) return USUAL_STRATEGY.smoke;
  const isPath = (each: unknown): each is string => isText(each) && /^\/[^\s#]*$/.test(each);
  if (Array.isArray(value) && value.length > 0 && value.length <= 10 && value.every(isPath)) return value;
  faults.add(place, value, 'one to ten paths, such as ["/", "/api/visits"]');
  return USUAL_STRATEGY.smoke;
}

interface Taken {
  readonly strategy?: Strategy;
  readonly host?: string;
  readonly storage?: string;
}

/** What the rest of an application has to have, and must not have, for its strategy. */
export function checkStrategy(place: string, { strategy, host, storage }: Taken, faults: Faults): void {
  if (strategy?.type === "canary" && host === undefined)
    faults.add(place, "canary", "rolling or blue-green, as there is no host whose requests could be shared out");
  if (strategy && storage !== undefined)
    faults.add(place, strategy.type, "rolling, as its volume takes one writer, and two versions would run at once");
}

const COLOURS = ["blue", "green"] as const;
export type Colour = (typeof COLOURS)[number];
/** What an application with a strategy has besides: two versions, and what switches between them. */
export const coloursOf = ({ strategy }: { readonly strategy?: Strategy }): readonly Colour[] =>
  strategy ? COLOURS : [];

/** Objects bear the names of their application with these endings. */
const ENDINGS = [...COLOURS, "switch", "tidy", "release"];

/** Notes applications that bear the names of another one's parts. */
export function checkEndings(
  place: string,
  apps: readonly (readonly [string, { readonly strategy?: Strategy }])[],
  faults: Faults,
): void {
  const taken = apps.flatMap(([name, { strategy }]) =>
    strategy ? ENDINGS.map((end) => [`${name}-${end}`, name]) : [],
  );
  const owners = new Map(taken.map(([part = "", name = ""]) => [part, name]));
  for (const [name] of apps) {
    const owner = owners.get(name);
    if (owner)
      faults.add(`${place}.${name}`, name, `another name, as ${owner} with its strategy has an object of this one`);
  }
}
