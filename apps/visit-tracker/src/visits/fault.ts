/** Whether Redis certainly did not carry the command out, so that it may be sent again. */
export function neverRan(error: unknown): boolean {
  const { message = "" } = (error ?? {}) as { message?: string };
  return (
    /^(READONLY|LOADING|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN) /.test(message) ||
    /isn't writeable|Cluster isn't ready/.test(message)
  );
}

interface Failure {
  code?: string;
  message?: string;
  lastNodeError?: unknown;
}

const asFailure = (error: unknown): Failure => {
  const { code, message, lastNodeError } = (error ?? {}) as Failure;
  return { code, message, lastNodeError };
};

/** What is wrong with Redis, in words for a reader of a log or a probe; never the address, a credential or a command. */
export function faultOf(error: unknown): string {
  const { code = "", lastNodeError, ...rest } = asFailure(error);
  // Of a whole cluster, or of all sentinels, the last to be asked says why.
  if (lastNodeError) return faultOf(lastNodeError);
  const message = rest.message?.replace(/^All sentinels are unreachable.*Last error: /s, "") ?? "";
  const answer = /^[A-Z]+(?= )/.exec(message)?.[0] ?? "";
  if (answer === "WRONGPASS" || answer === "NOAUTH") return `Redis refuses the user or password (${answer})`;
  if (answer === "NOPERM") return "the Redis user may not run this command (NOPERM)";
  if (answer === "LOADING") return "Redis is still loading its data";
  if (answer === "READONLY") return "this Redis is a read-only replica";
  if (answer === "NOREPLICAS") return "Redis takes no writes until a replica follows (NOREPLICAS)";
  if (answer === "CLUSTERDOWN") return "this part of the Redis cluster is down (CLUSTERDOWN)";
  if (answer === "OOM" || answer === "MISCONF") return `Redis takes no writes (${answer})`;
  if (/timed? ?out/i.test(message) || code === "ETIMEDOUT") return "Redis does not answer in time";
  if (/CERT|SSL|TLS|SELF_SIGNED|ERR_TLS/.test(code)) return `the certificate of Redis is not accepted (${code})`;
  if (/^E[A-Z]+$/.test(code)) return `Redis cannot be reached (${code})`;
  if (/all sentinels are unreachable/i.test(message)) return "no sentinel of Redis answers";
  if (
    /Connection is closed|isn't writeable|isn't ready|Failed to refresh slots cache|aborted due to connection close/.test(
      message,
    )
  )
    return "not connected to Redis";
  return `Redis answers with an error${answer && ` (${answer})`}`;
}
