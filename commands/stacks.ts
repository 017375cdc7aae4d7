import { UsageError } from "./errors";

/** The environments, from the first; each may look up what the ones before it recorded. */
export const STACKS = ["dev", "qa", "prod"];

export function checkStack(stack: string | undefined): string {
  if (stack && STACKS.includes(stack)) return stack;
  throw new UsageError(
    `"${stack ?? ""}" is no environment: take --stack ${STACKS.join(", ").replace(/, (\w+)$/, " or $1")}`,
  );
}
