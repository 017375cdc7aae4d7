const OWN_LINE = /^[A-Za-z0-9_./-]+$/;

const scalar = (value: unknown): string =>
  typeof value === "string" && !OWN_LINE.test(value) ? JSON.stringify(value) : String(value);

function yaml(value: unknown, indent: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const [first = "", ...rest] = yaml(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  if (typeof value !== "object" || value === null) return [`${indent}${scalar(value)}`];
  return Object.entries(value).flatMap(([key, each]) => field(key, each, indent));
}

function field(key: string, value: unknown, indent: string): string[] {
  const nested = typeof value === "object" && value !== null && Object.keys(value).length > 0;
  if (nested) return [`${indent}${key}:`, ...yaml(value, `${indent}  `)];
  return [`${indent}${key}: ${typeof value === "object" ? JSON.stringify(value) : scalar(value)}`];
}

/** The lines that set a field, below the last list entry on the way to it: what a reader pastes. */
export function linesToAdd(path: string, value: unknown): string[] {
  const entry = path.lastIndexOf("]") + 1;
  const keys = path
    .slice(entry)
    .split(".")
    .filter((key) => key !== "");
  if (keys.length === 0) return [];
  const [last = "", ...above] = keys.reverse();
  const whole = above.reduce<unknown>((inner, key) => ({ [key]: inner }), { [last]: value });
  const place = entry === 0 ? "the object" : path.slice(0, entry);
  return [`in ${place}:`, ...yaml(whole, "  ")];
}
