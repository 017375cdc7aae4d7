import type { WantedServices } from "./cluster";

/** What each namespace of an environment is for: the second half of its name. */
export const CONCERNS = ["secrets", "registry", "data", "edge", "apps", "monitoring"] as const;

/** Those of an environment, which may do without monitoring. */
export const concernsOf = ({ monitoring }: WantedServices): string[] =>
  CONCERNS.filter((concern) => monitoring || concern !== "monitoring");
