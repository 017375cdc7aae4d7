/** Nothing will change by asking again. */
export function isLasting(error: unknown): boolean {
  return /^(NOPERM|NOAUTH|WRONGPASS|OOM|MISCONF|WRONGTYPE|ERR) /.test(messageOf(error));
}

const messageOf = (error: unknown): string => ((error ?? {}) as { message?: string }).message ?? "";

/** What Redis answers in capitals, and what that means. */
const ANSWERS: Readonly<Record<string, string>> = {
  WRONGPASS: "Redis refuses the user or password",
  NOAUTH: "Redis refuses the user or password",
  NOPERM: "the Redis user may not run this command",
  LOADING: "Redis is still loading its data",
  READONLY: "this Redis is a read-only replica",
  NOREPLICAS: "Redis takes no writes until a replica follows",
  CLUSTERDOWN: "this part of the Redis cluster is down",
  OOM: "Redis has no room left",
  MISCONF: "Redis cannot save what it is given",
};

/** What is wrong with Redis, in words for a log or a probe; never an address, a credential, a command or what it was about. */
export function faultOf(error: unknown): string {
  const { code = "", lastNodeError } = (error ?? {}) as { code?: string; lastNodeError?: unknown };
  // Of a whole cluster, or of all sentinels, the last to be asked says why.
  if (lastNodeError) return faultOf(lastNodeError);
  const message = messageOf(error).replace(/^All sentinels are unreachable.*Last error: /s, "");
  const answer = /^[A-Z]+(?= )/.exec(message)?.[0] ?? "";
  if (answer in ANSWERS) return `${ANSWERS[answer]} (${answer})`;
  if (/timed? ?out/i.test(message) || code === "ETIMEDOUT") return "Redis does not answer in time";
  if (/CERT|SSL|TLS|SELF_SIGNED/.test(code)) return `the certificate of Redis is not accepted (${code})`;
  if (/^E[A-Z]+$/.test(code)) return `Redis cannot be reached (${code})`;
  if (/all sentinels are unreachable/i.test(message)) return "no sentinel of Redis answers";
  if (
    /Connection is closed|isn't writeable|isn't ready|refresh slots cache|aborted due to connection close/.test(message)
  )
    return "not connected to Redis";
  return `Redis answers with an error${answer && ` (${answer})`}`;
}
