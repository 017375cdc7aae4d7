/** What each namespace of an environment is for: the second half of its name. */
const ALWAYS = ["secrets", "registry", "data", "edge", "apps"] as const;
const WHERE_WATCHED = ["monitoring", "dashboards"] as const;

export const CONCERNS = [...ALWAYS, ...WHERE_WATCHED] as const;

/** Those of an environment: what it is watched with takes some of its own. */
export const concernsOf = ({ concerns }: { readonly concerns: readonly WatchingConcern[] }): string[] => [
  ...ALWAYS,
  ...concerns,
];
export type WatchingConcern = (typeof WHERE_WATCHED)[number];
