import { isKey } from "../cipher";
import type { Fields } from "./body";
import { type Problem, invalid } from "./problem";

export const MAX_SECRET = 64 * 1024;
export const MAX_PASSPHRASE = 256;
export const MAX_TTL_S = 30 * 24 * 3600;
export const DEFAULT_TTL_S = 24 * 3600;

export interface Creation {
  secret: string;
  passphrase?: string;
  ttlMs: number;
}

export function creation(fields: Fields): Creation {
  only(fields, ["secret", "passphrase", "ttl"]);
  const secret = required(text(fields, "secret", MAX_SECRET), "secret");
  const passphrase = text(fields, "passphrase", MAX_PASSPHRASE);
  const { ttl = DEFAULT_TTL_S } = fields;
  if (!Number.isInteger(ttl) || Number(ttl) < 1 || Number(ttl) > MAX_TTL_S)
    throw invalid("ttl", `Give ttl as a whole number of seconds from 1 to ${MAX_TTL_S}.`);
  return { secret, passphrase, ttlMs: Number(ttl) * 1000 };
}

export interface Reading {
  key: string;
  passphrase?: string;
  reader?: string;
}

export function reading(fields: Fields): Reading {
  only(fields, ["key", "passphrase", "reader"]);
  const key = required(text(fields, "key", 43), "key");
  if (!isKey(key)) throw invalid("key", "Give key as it is in the link, after the #: 43 characters.");
  const reader = text(fields, "reader", 64);
  if (reader !== undefined && !/^[\w-]{16,64}$/.test(reader))
    throw invalid("reader", "Give reader as 16 to 64 letters, digits, dashes and underscores, made at random.");
  return { key, passphrase: text(fields, "passphrase", MAX_PASSPHRASE), reader };
}

/** A misspelt field would otherwise silently have no effect, such as no passphrase. */
function only(fields: Fields, allowed: readonly string[]): void {
  for (const field of Object.keys(fields))
    if (!allowed.includes(field))
      throw invalid(field.slice(0, 40), `There is no such field. Allowed are: ${allowed.join(", ")}.`);
}

function required(value: string | undefined, field: string): string {
  if (value === undefined) throw invalid(field, `Give ${field}, a text.`);
  return value;
}

function text(fields: Fields, field: string, most: number): string | undefined {
  const value = fields[field];
  if (value === undefined) return undefined;
  const wrong = (message: string): Problem => invalid(field, message);
  if (typeof value !== "string") throw wrong(`Give ${field} as a text.`);
  if (value === "") throw wrong(`Give a ${field} that is not empty${field === "secret" ? "" : ", or leave it out"}.`);
  if (Buffer.byteLength(value) > most) throw wrong(`Give a ${field} of no more than ${most} bytes in UTF-8.`);
  // Half a character cannot be kept, and would come back as another.
  if (!value.isWellFormed()) throw wrong(`Give a ${field} of whole Unicode characters.`);
  return value;
}
