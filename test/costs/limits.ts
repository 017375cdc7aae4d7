/**
 * What a run may cost, in counts that are the same on every machine. A change that goes over one is a regression or a choice:
 * then the number is changed here, with the reason beside it.
 */
export const LIMITS = {
  /** Files of packages that the program loads. Loaded as the packages would have it, they are 1039. */
  programModules: 470,
  /** The same of the policy pack, which looks at plain objects and needs no package of a provider. */
  packModules: 200,
  /** How often the pack unpacks an object: once for the rules about it, once for those that hold between objects. */
  decodesPerResource: 2,
} as const;

/**
 * Bytes of a stack's inputs. The state keeps them twice, as inputs and as outputs, and is written twice with every step. A tenth
 * are the rules that the API server holds.
 */
export const STATE = { dev: 330_000, qa: 300_000, prod: 330_000 } as const;
/** Of one resource: scripts are the largest. */
export const RESOURCE_BYTES = 42_000;

/** What an update that changes nothing may ask the API server for, by who asks and verb, whatever the size of the stack. */
export const UNCHANGED = {
  /** The API's own description. No object is looked at, as the state says what is there. */
  provider: { get: 4 },
  /** Who the cluster is, its nodes, its address, its API, the definitions, and where what is exposed answers. */
  program: { get: 5, list: 3 },
} as const;

/**
 * What a second `npm run up` may ask the API server for by kubectl: whether all is well, who the cluster is, its hosts, the
 * login at Vault with which it sees what hands changed there, and in the two namespaces of applications their revisions and what
 * their switches decided.
 */
export const SECOND_UP = { get: 2, list: 7, create: 1 } as const;

type Counts = Readonly<Record<string, number>>;

/** What goes over its limit, in words. */
export const over = (found: Counts, limits: Counts): string[] =>
  Object.entries(found).flatMap(([name, count]) =>
    count > (limits[name] ?? 0) ? [`${name}: ${count}, allowed are ${limits[name] ?? 0}`] : [],
  );
