/** What is wrong with Redis, in words for a reader of a log or a probe; never the address, a credential or a command. */
export function faultOf(error: unknown): string {
  const { code = "", message = "" } = (error ?? {}) as { code?: string; message?: string };
  const answer = /^[A-Z]+(?= )/.exec(message)?.[0] ?? "";
  if (answer === "WRONGPASS" || answer === "NOAUTH") return `Redis refuses the user or password (${answer})`;
  if (answer === "NOPERM") return "the Redis user may not run this command (NOPERM)";
  if (answer === "LOADING") return "Redis is still loading its data";
  if (answer === "READONLY") return "this Redis is a read-only replica";
  if (answer === "OOM" || answer === "MISCONF") return `Redis takes no writes (${answer})`;
  if (/timed? ?out/i.test(message) || code === "ETIMEDOUT") return "Redis does not answer in time";
  if (/CERT|SSL|TLS|SELF_SIGNED|ERR_TLS/.test(code)) return `the certificate of Redis is not accepted (${code})`;
  if (/^E[A-Z]+$/.test(code)) return `Redis cannot be reached (${code})`;
  if (/Connection is closed|isn't writeable|aborted due to connection close/.test(message))
    return "not connected to Redis";
  return `Redis answers with an error${answer && ` (${answer})`}`;
}
