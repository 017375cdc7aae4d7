import { isUtf8 } from "node:buffer";
import { Composer, type Document as YamlDocument, LineCounter, Parser } from "yaml";
import type { Manifest } from "./rules/manifest";

export interface Document {
  /** Its place among the documents of its file that hold anything. */
  readonly index: number;
  readonly manifest: Manifest;
}

export interface Unreadable {
  readonly line: number;
  readonly why: string;
}

/** `foreign` counts documents of another making, such as a chart's values: they name no kind. */
export interface Reading {
  readonly documents: readonly Document[];
  readonly unreadable: readonly Unreadable[];
  readonly foreign: readonly Unreadable[];
}

const LONGEST = 64 * 1024 * 1024;
const LONGEST_REASON = 200;
const TOO_DEEP = "is nested too deeply";

const refused = (line: number, why: string): Reading => ({ documents: [], unreadable: [{ line, why }], foreign: [] });

/** A few hundred levels more, and the parser runs out of stack where that ends the process. */
const DEEPEST = 400;
const OPENS = new Set([..."[{"].map((each) => each.charCodeAt(0)));
const CLOSES = new Set([..."]}"].map((each) => each.charCodeAt(0)));
const INDENTS = new Set([..." -?"].map((each) => each.charCodeAt(0)));
const NEWLINE = 10;

/** The line in which brackets or indentation go too deep, read as if no bracket stood in a text. */
function tooDeepIn(bytes: Buffer): number | undefined {
  let [line, depth, indent] = [1, 0, 0];
  for (const byte of bytes) {
    if (byte === NEWLINE) [line, indent] = [line + 1, 0];
    else if (indent >= 0) indent = INDENTS.has(byte) ? indent + 1 : -1;
    if (OPENS.has(byte)) depth += 1;
    else if (CLOSES.has(byte) && depth > 0) depth -= 1;
    if (depth > DEEPEST || indent > DEEPEST) return line;
  }
  return undefined;
}

const isObject = (value: unknown): value is Manifest =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const sort = (value: unknown): string => (Array.isArray(value) ? "a list" : value === null ? "null" : typeof value);

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError || message.includes("call stack")) return TOO_DEEP;
  return (message.split("\n")[0] ?? "").slice(0, LONGEST_REASON);
}

interface Parsed {
  readonly line: number;
  readonly value?: unknown;
  readonly error?: string;
}

function parsedOne(document: YamlDocument.Parsed, lines: LineCounter): Parsed[] {
  const [fault] = document.errors;
  if (fault !== undefined) return [{ line: lines.linePos(fault.pos[0]).line, error: reasonOf(fault) }];
  const { line } = lines.linePos(document.contents?.range?.[0] ?? document.range[0]);
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return value === null ? [] : [{ line, value }];
  } catch (error) {
    return [{ line, error: reasonOf(error) }];
  }
}

/** Every document that starts in the text, with the line it starts in. A document that is empty counts for nothing. */
function parsed(text: string): Parsed[] {
  const lines = new LineCounter();
  const composer = new Composer({ merge: true, stringKeys: true, prettyErrors: false });
  const found: Parsed[] = [];
  // One at a time: a parsed document takes a hundred times the room of its text.
  for (const document of composer.compose(new Parser(lines.addNewLine).parse(text)))
    found.push(...parsedOne(document, lines));
  return found;
}

/** JSON is YAML too, but a parser of its own reads it many times faster. */
function json(text: string): Parsed[] | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return [{ line: 1, value: JSON.parse(text) as unknown }];
  } catch {
    return undefined;
  }
}

export function readDocuments(bytes: Buffer): Reading {
  if (bytes.length > LONGEST) return refused(1, `is longer than ${LONGEST / 1024 / 1024} MB`);
  const junk = bytes.indexOf(0);
  if (junk >= 0 || !isUtf8(bytes)) {
    const line = junk < 0 ? 1 : bytes.subarray(0, junk).filter((byte) => byte === 10).length + 1;
    return refused(line, "is not text in UTF-8, but binary");
  }
  const deep = tooDeepIn(bytes);
  if (deep !== undefined) return refused(deep, TOO_DEEP);
  const text = bytes.toString("utf8").replace(/^\uFEFF/, "");
  let found: Parsed[];
  try {
    found = json(text) ?? parsed(text);
  } catch (error) {
    return refused(1, reasonOf(error));
  }
  const documents: Document[] = [];
  const unreadable: Unreadable[] = [];
  const foreign: Unreadable[] = [];
  found.forEach(({ line, value, error }, index) => {
    if (error !== undefined) unreadable.push({ line, why: error });
    else if (!isObject(value))
      unreadable.push({ line, why: `is ${sort(value)}, and not an object with apiVersion and kind` });
    else if (value.kind === undefined) foreign.push({ line, why: "names no kind" });
    else if (typeof value.kind !== "string" || value.kind === "")
      unreadable.push({ line, why: `has ${sort(value.kind)} as its kind, which is a text such as Deployment` });
    else if (value.apiVersion !== undefined && typeof value.apiVersion !== "string")
      unreadable.push({
        line,
        why: `has ${sort(value.apiVersion)} as its apiVersion, which is a text such as apps/v1`,
      });
    else documents.push({ index, manifest: value });
  });
  return { documents, unreadable, foreign };
}
