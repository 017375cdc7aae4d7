/** How the platform's commands call Pulumi; the benchmark measures just these. */
export const policyPack = (stack: string): string[] => [
  "--policy-pack",
  "policy",
  "--policy-pack-config",
  `policy/config/${stack}.json`,
];

export const updateArguments = (stack: string): string[] => [
  "up",
  "-s",
  stack,
  "--yes",
  "--suppress-outputs",
  ...policyPack(stack),
];
