/** What stands where a metric might, and is none. */
const WORDS = new Set(["and", "or", "unless", "bool", "offset", "inf", "nan"]);
/** Before a list of labels, or after an aggregation. */
const LABEL_LISTS = /\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;

/** The metrics that a PromQL expression names. */
export function metricsOf(expr: string): string[] {
  const bare = expr
    .replace(/"[^"]*"|'[^']*'/g, "")
    .replace(/\{[^}]*\}/g, " ")
    .replace(/\[[^\]]*\]/g, " ")
    .replace(LABEL_LISTS, " ");
  const names = [...bare.matchAll(/(?<![\w:])[a-zA-Z_:][\w:]*(?!\w)(?!\s*\()/g)].map(([name]) => name);
  return [...new Set(names.filter((name) => !WORDS.has(name.toLowerCase())))];
}
