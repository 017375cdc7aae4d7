/**
 * What a run may cost, in counts that are the same on every machine. A change that goes over one is a regression or a choice:
 * then the number is changed here, with the reason beside it.
 */
export const LIMITS = {
  /** Files of packages that the program loads. Loaded as the packages would have it, they are 1039. */
  programModules: 500,
  /** The same of the policy pack, which looks at plain objects and needs no package of a provider. */
  packModules: 200,
  /** How often the pack unpacks an object: once for the rules about it, once for those that hold between objects. */
  decodesPerResource: 2,
  /** What the state keeps of a stack, twice (as inputs and as outputs), and writes twice with every step. */
  stateBytes: { dev: 300_000, qa: 270_000, prod: 300_000 } as Readonly<Record<string, number>>,
  /** Of one resource: dashboards, scripts and rules are the largest. */
  resourceBytes: 40_000,
} as const;

/** What an update that changes nothing may ask the API server for, by verb, whatever the size of the stack. */
export const UNCHANGED = {
  /** The provider's: the API's own description. No object is looked at, as the state says what is there. */
  provider: { get: 12 } as Readonly<Record<string, number>>,
  /** The program's: who the cluster is, its nodes, its address, its API, the definitions. */
  program: { get: 12, list: 12 } as Readonly<Record<string, number>>,
} as const;

/** What goes over its limit, in words. */
export const over = (found: Readonly<Record<string, number>>, limits: Readonly<Record<string, number>>): string[] =>
  Object.entries(found).flatMap(([name, count]) =>
    count > (limits[name] ?? 0) ? [`${name}: ${count}, allowed are ${limits[name] ?? 0}`] : [],
  );
