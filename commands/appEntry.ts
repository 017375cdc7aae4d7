/** What the entry of a new application says, in the order of a reader's questions. */
export type EntryFields = Readonly<Record<string, string | number>>;

const APPS = /^ {2}platform:apps:[^\S\n]*(?:\{\}[^\S\n]*)?$/;
/** A line of the same or a lesser depth ends a block; empty lines and remarks belong to what follows them. */
const ends = (line: string): boolean => /^ {0,2}[^\s#]/.test(line);

/** The text of a stack file with one more application, everything else as its authors wrote it. */
export function withApp(text: string, name: string, fields: EntryFields): string {
  const entry = [`    ${name}:`, ...Object.entries(fields).map(([key, value]) => `      ${key}: ${value}`)];
  const lines = text.replace(/\n*$/, "\n").split("\n");
  const at = lines.findIndex((line) => APPS.test(line));
  if (at >= 0) {
    lines[at] = "  platform:apps:";
    lines.splice(lastOf(lines, at), 0, ...entry);
    return lines.join("\n");
  }
  const config = lines.findIndex((line) => /^config:/.test(line));
  if (config < 0) return `config:\n  platform:apps:\n${entry.join("\n")}\n${text}`;
  const rest = lines.findIndex((line, index) => index > config && /^[^\s#]/.test(line));
  lines.splice(rest < 0 ? lines.length - 1 : rest, 0, "  platform:apps:", ...entry);
  return lines.join("\n");
}

/** Behind the last line of the block that begins there. */
function lastOf(lines: readonly string[], begin: number): number {
  let end = begin + 1;
  for (let index = end; index < lines.length && !ends(lines[index] ?? ""); index++)
    if (/^ {3,}\S/.test(lines[index] ?? "")) end = index + 1;
  return end;
}
