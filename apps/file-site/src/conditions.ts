import type { IncomingHttpHeaders } from "node:http";

/** One range; what else stands there is not understood here, and then the whole is the answer. */
const RANGE = /^bytes=(\d+-\d*|-\d+)$/;
const PASSED = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"] as const;

type Headers = Readonly<Record<string, string>>;

/** What of a request the store decides on: `part` for the range that it asks for, `whole` for when it cannot have that. */
export interface Conditions {
  readonly part?: Headers;
  readonly whole: Headers;
}

export function conditionsOf(headers: IncomingHttpHeaders, method: string): Conditions {
  const whole = Object.fromEntries(PASSED.flatMap((name) => (headers[name] ? [[name, headers[name]]] : [])));
  const range = headers.range?.trim();
  if (method !== "GET" || !range || !RANGE.test(range)) return { whole };
  const still = headers["if-range"] === undefined ? undefined : String(headers["if-range"]).trim();
  if (still === undefined) return { part: { ...whole, range }, whole };
  // S3 knows no If-Range: a part is asked for on condition, and the whole where the condition does not hold.
  if (still.startsWith('"')) return { part: { ...whole, range, "if-match": still }, whole };
  return Number.isNaN(Date.parse(still))
    ? { whole }
    : { part: { ...whole, range, "if-unmodified-since": still }, whole };
}

/** Whether a part was asked for on a condition that need not hold. */
export const mayBeWhole = (headers: IncomingHttpHeaders, { part }: Conditions): boolean =>
  part !== undefined && headers["if-range"] !== undefined;
