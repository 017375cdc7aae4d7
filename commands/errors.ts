/** The user called a command in a way it does not know. */
export class UsageError extends Error {}

/** Ends a command: one clear message, 2 for a wrong call, 1 for anything else. */
export function fail(error: Error & { code?: string }): void {
  console.error(`error: ${error.message}`);
  process.exitCode = error instanceof UsageError || error.code?.startsWith("ERR_PARSE_ARGS") ? 2 : 1;
}
