import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Session } from "./session";

/** So long a preview is fresh: what is on a cluster changes also without Pulumi. */
const FRESH_MS = 3_600_000;
/** Folders that a run does not read. */
const UNREAD = new Set(["node_modules", ".git", "docs", "test", "bench"]);

/** All that a preview depends on and a program cannot see change: the project's files, the target, and the states. */
export function contentOf(root: string, session: Session, states: readonly string[]): string {
  const hash = createHash("sha256");
  const add = (name: string, content: string | Buffer): void => {
    hash.update(`${name}\0${content.length}\0`).update(content);
  };
  const walk = (dir: string): void => {
    for (const entry of fs.readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = path.join(dir, entry.name);
      if (entry.isDirectory() && !UNREAD.has(entry.name)) walk(file);
      else if (entry.isFile()) add(path.relative(root, file), fs.readFileSync(file));
    }
  };
  walk(root);
  const { PLATFORM_TARGET: target = "", PLATFORM_CONTEXT: context = "", PULUMI_BACKEND_URL: backend = "" } = session;
  if (fs.existsSync(target)) add("target", fs.readFileSync(target));
  for (const text of [context, backend, ...states]) add("", text);
  return hash.digest("hex");
}

interface Record {
  readonly content: string;
  readonly at: number;
}

/** Beside the target: a sandbox that goes takes it along. */
const fileOf = ({ PLATFORM_TARGET: target }: Session, stack: string): string | undefined =>
  target ? path.join(path.dirname(target), `previewed-${stack}.json`) : undefined;

/** Whether an update there asks what was previewed. */
export const notesPreviews = (session: Session): boolean => Boolean(session.PLATFORM_TARGET);

/** Notes that a preview of this content found nothing wrong. */
export function notePreview(session: Session, stack: string, content: string, now = Date.now()): void {
  const file = fileOf(session, stack);
  if (file) fs.writeFileSync(file, JSON.stringify({ content, at: now } satisfies Record), { mode: 0o600 });
}

/**
 * Whether just this content was previewed within the hour; asked once, for an update makes another state. The content is looked
 * at only where there was a preview.
 */
export async function wasPreviewed(
  session: Session,
  stack: string,
  content: () => Promise<string>,
  now = Date.now(),
): Promise<boolean> {
  const file = fileOf(session, stack);
  if (!file || !fs.existsSync(file)) return false;
  const record = JSON.parse(fs.readFileSync(file, "utf8")) as Record;
  fs.rmSync(file);
  return now - record.at >= 0 && now - record.at < FRESH_MS && record.content === (await content());
}
