const PATTERN = /^([+-]?)(\d+\.?\d*|\.\d+)(n|u|m|k|Ki|[MGTPE]i?|[eE][+-]?\d+)?$/;
const LONGEST = 64;
const LARGEST_EXPONENT = 30;

const POWERS_OF_TEN: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const POWERS_OF_TWO: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

function scale(digits: bigint, powerOfTen: number): bigint {
  if (powerOfTen >= 0) return digits * 10n ** BigInt(powerOfTen);
  const divisor = 10n ** BigInt(-powerOfTen);
  return (digits + divisor - 1n) / divisor;
}

/** Billionths of one, rounded up as Kubernetes does, exact where a float is not. undefined: not a quantity. */
export function parseQuantity(quantity: unknown): bigint | undefined {
  const written = typeof quantity === "number" ? String(quantity) : quantity;
  if (typeof written !== "string" || written.length > LONGEST) return undefined;
  const match = PATTERN.exec(written);
  if (match === null) return undefined;
  const [, sign, number = "", suffix = ""] = match;

  const [whole = "", fraction = ""] = number.split(".");
  const power = POWERS_OF_TEN[suffix] ?? (/^[eE][+-]?\d/.test(suffix) ? Number(suffix.slice(1)) : 0);
  if (Math.abs(power) > LARGEST_EXPONENT) return undefined;
  const digits = BigInt(whole + fraction) << BigInt(POWERS_OF_TWO[suffix] ?? 0);
  const billionths = scale(digits, power + 9 - fraction.length);
  return sign === "-" ? -billionths : billionths;
}

/** What people write in a stack file: of the forms that Kubernetes takes, those that nobody misreads. */
const amount = (quantity: string, form: RegExp): number | undefined => {
  const billionths = form.test(quantity) ? parseQuantity(quantity) : undefined;
  return billionths === undefined ? undefined : Number(billionths) / 1e9;
};

/** Bytes of a memory or storage quantity with a binary unit, or undefined where it is none. */
export const bytes = (quantity: string): number | undefined => amount(quantity, /^\d+(\.\d+)?[KMGT]i$/);

/** CPU cores, or undefined where the text is no quantity of them. */
export const cores = (quantity: string): number | undefined => amount(quantity, /^\d+(\.\d+)?m?$/);

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Of a time such as "90s", "5m" or "1h". */
export function secondsOf(text: string): number {
  const [, number, unit = ""] = /^(\d+)([smh])$/.exec(text) ?? [];
  const total = Number(number) * (SECONDS[unit] ?? NaN);
  if (Number.isNaN(total)) throw new Error(`"${text}" is no time such as "30s", "5m" or "1h"`);
  return total;
}

/**
 * A time such as "90s" as controllers write it themselves ("1m30s"): what is put otherwise they put right, and then the field
 * is theirs, and the next update a conflict.
 */
export function controllerDuration(text: string): string {
  const total = secondsOf(text);
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
