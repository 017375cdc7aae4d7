import { type EngineEvent, eventsIn, stepsOf } from "./engineEvents";

/** What Pulumi says of a preview, as a text that a reviewer reads in a minute: names of what changes, never values. */
export interface PreviewReport {
  readonly stack: string;
  /** Completes "Against …". */
  readonly against: string;
  readonly succeeded: boolean;
  readonly seconds: number;
  /** The engine's event log, one JSON object per line. */
  readonly events: string;
  /** Why there was no preview at all. */
  readonly failure?: string;
}

/** GitHub takes 65536 characters for a comment. */
const ROOM = 60_000;
const ROWS = 200;
const PROPERTIES = 6;
const OPERATIONS: Readonly<Record<string, string>> = {
  create: "create",
  update: "update",
  replace: "replace",
  delete: "delete",
};

/** The hidden first line by which a comment is found again. */
export const marker = (stack: string): string => `<!-- platform preview ${stack} -->`;

export function previewSummary(report: PreviewReport): string {
  const events = eventsIn(report.events);
  const changes = changesOf(events);
  const broken = rulesOf(events, "mandatory");
  const advice = rulesOf(events, "advisory");
  const known = [...broken, ...advice].join("\n");
  const errors = [...(report.failure ? [report.failure] : []), ...messagesOf(events, "error")].filter(
    (text) => text !== "preview failed" && !known.includes(text),
  );
  const outcome = report.succeeded ? counts(changes) : broken.length > 0 ? "refused by the rules" : "failed";
  const parts = [
    marker(report.stack),
    `### Preview of \`${report.stack}\`: ${outcome}`,
    `Against ${escape(report.against)}.`,
    list("Rules broken", broken),
    block("Errors", errors.length > 0 || report.succeeded ? errors : lastWords(events, broken)),
    list("Rules that only warn", advice),
    block("Warnings", messagesOf(events, "warning")),
    table(changes),
    `<sub>${unchanged(events)} unchanged · ${Math.round(report.seconds)} s · policy pack included</sub>`,
  ];
  return cut(`${parts.filter(Boolean).join("\n\n")}\n`);
}

interface Change {
  readonly operation: string;
  readonly name: string;
  readonly type: string;
  readonly properties: readonly string[];
}

function changesOf(events: readonly EngineEvent[]): Change[] {
  const order = Object.keys(OPERATIONS).reverse();
  return stepsOf(events)
    .filter(({ op }) => op in OPERATIONS)
    .map(({ op, urn, type, diffs, detailedDiff }) => ({
      operation: op,
      name: nameOf(urn),
      type: type.split(":").at(-1) ?? type,
      properties: op === "create" || op === "delete" ? [] : (diffs ?? Object.keys(detailedDiff ?? {})),
    }))
    .sort((a, b) => order.indexOf(a.operation) - order.indexOf(b.operation) || a.name.localeCompare(b.name));
}

const unchanged = (events: readonly EngineEvent[]): number => stepsOf(events).filter(({ op }) => op === "same").length;
const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;

function counts(changes: readonly Change[]): string {
  const parts = Object.entries(OPERATIONS).flatMap(([operation, verb]) => {
    const count = changes.filter((change) => change.operation === operation).length;
    return count > 0 ? [`${count} to ${verb}`] : [];
  });
  return parts.length > 0 ? parts.join(", ") : "no change";
}

function rulesOf(events: readonly EngineEvent[], level: string): string[] {
  const all = events.flatMap(({ policyEvent }) => {
    if (!policyEvent || (policyEvent.enforcementLevel === "mandatory") !== (level === "mandatory")) return [];
    return [plain(policyEvent.message)];
  });
  return [...new Set(all)];
}

function messagesOf(events: readonly EngineEvent[], severity: string): string[] {
  const all = events.flatMap(({ diagnosticEvent }) =>
    diagnosticEvent?.severity === severity
      ? [`${diagnosticEvent.urn ? `${nameOf(diagnosticEvent.urn)}: ` : ""}${plain(diagnosticEvent.message)}`]
      : [],
  );
  return [...new Set(all)].filter(Boolean);
}

/** A run that failed without naming an error often said why on its standard error; else its log has to be read. */
function lastWords(events: readonly EngineEvent[], broken: readonly string[]): string[] {
  if (broken.length > 0) return [];
  const said = messagesOf(events, "info#err").slice(-20);
  return said.length > 0 ? [said.join("\n")] : ["Pulumi gave no reason in its events: see the output of the run."];
}

/** Without Pulumi's and the terminal's colours. */
function plain(text: string): string {
  return text
    .replace(/<\{%.*?%\}>/g, "")
    .replace(/\x1b\[[0-9;]*m/g, "")
    .trim();
}

function list(title: string, items: readonly string[]): string {
  return items.length > 0 ? `**${title}**\n\n${items.map((item) => `- ${escape(item)}`).join("\n")}` : "";
}

/** Fenced by more backticks than the text itself holds. */
function block(title: string, items: readonly string[]): string {
  if (items.length === 0) return "";
  const text = items.join("\n\n");
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `**${title}**\n\n${fence}text\n${text}\n${fence}`;
}

function table(changes: readonly Change[]): string {
  if (changes.length === 0) return "";
  const rows = changes.slice(0, ROWS).map(({ operation, name, type, properties }) => {
    const more = properties.length > PROPERTIES ? ` and ${properties.length - PROPERTIES} more` : "";
    const named = properties.slice(0, PROPERTIES).map(escape).join(", ") + more;
    return `| ${operation} | ${escape(name)} | ${escape(type)} | ${named} |`;
  });
  const rest = changes.length > ROWS ? [`\n… and ${changes.length - ROWS} more.`] : [];
  const title = `${changes.length} change${changes.length === 1 ? "" : "s"}`;
  const head = ["| | resource | type | properties |", "| --- | --- | --- | --- |"];
  return [`<details><summary>${title}</summary>\n`, ...head, ...rows, ...rest, "\n</details>"].join("\n");
}

/** Names come from the change under review: none may act as markup, or call a person. */
function escape(text: string): string {
  return text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/[\\`*_{}[\]()#+!|~]/g, "\\$&")
    .replace(/@/g, "@\u200b")
    .replace(/\n+/g, "<br>");
}

function cut(text: string): string {
  if (text.length <= ROOM) return text;
  return `${text.slice(0, ROOM)}\n\n… cut off here: the output of the run has everything.\n`;
}
