import { ENVIRONMENTS } from "../sandbox/environments";
import { UsageError } from "./errors";

/** A stack for each environment. */
export const STACKS: readonly string[] = ENVIRONMENTS;

export function checkStack(stack: string | undefined, flag = "--stack"): string {
  if (stack && STACKS.includes(stack)) return stack;
  throw new UsageError(
    `"${stack ?? ""}" is no environment: take ${flag} ${STACKS.join(", ").replace(/, (\w+)$/, " or $1")}`,
  );
}
