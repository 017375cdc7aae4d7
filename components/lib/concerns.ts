/** What each namespace of an environment is for: the second half of its name. */
const ALWAYS = ["secrets", "registry", "data", "edge", "apps"] as const;
const ON_DEMAND = ["monitoring", "dashboards", "status"] as const;

export const CONCERNS = [...ALWAYS, ...ON_DEMAND] as const;

/** Those of an environment: what it is watched with takes some of its own. */
export const concernsOf = (...parts: readonly { readonly concerns: readonly WatchingConcern[] }[]): string[] => [
  ...ALWAYS,
  ...parts.flatMap(({ concerns }) => concerns),
];
export type WatchingConcern = (typeof ON_DEMAND)[number];
