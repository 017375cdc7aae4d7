/** How the platform's commands call Pulumi; the benchmark measures just these. */
export const policyPack = (stack: string): string[] => [
  "--policy-pack",
  "policy",
  "--policy-pack-config",
  `policy/config/${stack}.json`,
];

/** What an update does first: only a preview hears in time of rules that hold between objects. */
export const foresight = (stack: string): string[] => [
  "preview",
  "-s",
  stack,
  "--suppress-outputs",
  ...policyPack(stack),
];

/** What it does then, where there is anything to do. */
export const updateArguments = (stack: string): string[] => [
  "up",
  "-s",
  stack,
  "--yes",
  "--skip-preview",
  "--suppress-outputs",
  ...policyPack(stack),
];

export const logged = (events: string): string[] => ["--event-log", events];
