import type { Gone } from "../store";

interface More {
  /** Of the body: what is wrong with the request is about it. */
  field?: string;
  /** Further facts for programs. */
  facts?: Readonly<Record<string, string | number>>;
  headers?: Readonly<Record<string, string>>;
}

/** An answer that is not what was asked for. Its message goes to whoever asked: it says what is wrong and what is allowed. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly more: More = {},
  ) {
    super(message);
  }

  get body(): string {
    const { field, facts } = this.more;
    return `${JSON.stringify({ error: { code: this.code, message: this.message, ...(field && { field }), ...facts } })}\n`;
  }
}

export const invalid = (field: string, message: string): Problem =>
  new Problem(422, "invalid_field", message, { field });

const RETRY_AFTER_S = 2;

export const unavailable = (facts: Readonly<Record<string, string>> = {}): Problem =>
  new Problem(503, "unavailable", "This cannot be done at the moment. Please try again in a few seconds.", {
    facts,
    headers: { "Retry-After": String(RETRY_AFTER_S) },
  });

const WHAT_HAPPENED = {
  used: "This secret has been opened already. It opens only once.",
  expired: "This secret has expired. Nobody can open it any more.",
  destroyed: "This secret was destroyed after too many wrong passphrases.",
} as const;

export function gone(what: Gone): Problem {
  if (what.state === "unknown")
    return new Problem(404, "not_found", "There is no such secret. Perhaps a part of its link is missing.");
  return new Problem(410, what.state, WHAT_HAPPENED[what.state], { facts: { at: new Date(what.at).toISOString() } });
}
