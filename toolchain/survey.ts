import { isCommitted } from "./checksums";
import { type LockItem, type Purpose, lockItem } from "./lock";
import { type Decision, decide } from "./plan";
import { findPresent } from "./present";
import type { Settings } from "./settings";

/** One line of the doctor's table. */
export interface Row {
  readonly item: string;
  readonly purpose: Purpose;
  readonly wanted: string;
  /** What the machine itself has. */
  readonly present: string;
  /** Where the item is or would come from. */
  readonly path: string;
  readonly ok: boolean;
  /** Why not, and what to do. */
  readonly missing?: string;
}

export interface Survey {
  readonly rows: readonly Row[];
  readonly decisions: ReadonlyMap<string, Decision>;
}

/** Looks at every item without fetching or building any. */
export async function survey(
  settings: Settings,
  items: readonly string[] = Object.keys(settings.lock.items),
): Promise<Survey> {
  const decisions = await decide(items, settings);
  const rows = [...decisions].map(([name, decision]): Row => {
    const item = lockItem(settings.lock, name);
    return {
      item: name,
      purpose: item.purpose,
      wanted: item.present ? `${item.version} (${item.present.range})` : item.version,
      present: decision.how === "present" ? decision.text : findPresent(item, settings).text,
      path: describePath(item, decision, settings),
      ok: decision.how !== "impossible",
      ...(decision.how === "impossible" ? { missing: decision.why } : {}),
    };
  });
  return { rows, decisions };
}

function describePath(item: LockItem, decision: Decision, settings: Settings): string {
  switch (decision.how) {
    case "present":
      return "the machine's own";
    case "stored":
      return decision.origin === "download" ? "in the cache (official download)" : "in the cache (from source)";
    case "impossible":
      return "none";
    case "make":
      return decision.origin === "download"
        ? `download, ${checkedAgainst(item, settings)}`
        : `${sourceOf(item)}: ${decision.why}`;
  }
}

/** A sum that comes from the same place as the file proves less than one committed here: the reader should know. */
function checkedAgainst(item: LockItem, settings: Settings): string {
  const files = item.download?.files ?? [];
  return files.every((file) => isCommitted(file, settings.platform))
    ? "checksum committed"
    : "checked only against the publisher's own list";
}

function sourceOf(item: LockItem): string {
  if (item.source?.kind === "debian") return "Debian packages";
  return item.source?.kind === "module" ? "Go module" : "build from source";
}
