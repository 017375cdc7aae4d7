import type { Event } from "./devtools";

interface Exception {
  readonly exceptionDetails: { readonly text: string; readonly exception?: { readonly description?: string } };
}
interface ConsoleCall {
  readonly type: string;
  readonly args: readonly { readonly value?: string | number | boolean | null; readonly description?: string }[];
}
interface LogEntry {
  readonly entry: { readonly level: string; readonly source: string; readonly text: string; readonly url?: string };
}

/** What a developer would see in red: errors of scripts, refusals by the Content Security Policy, requests that failed. */
export function faultIn({ method, params }: Event): string | undefined {
  if (method === "Inspector.targetCrashed") return "the page crashed";
  if (method === "Runtime.exceptionThrown") {
    const { text, exception } = (params as Exception).exceptionDetails;
    return `script: ${text} ${exception?.description ?? ""}`.trim();
  }
  if (method === "Runtime.consoleAPICalled") {
    const { type, args } = params as ConsoleCall;
    if (type !== "error" && type !== "assert") return undefined;
    return `console.${type}: ${args.map(({ value, description }) => String(value ?? description)).join(" ")}`;
  }
  if (method === "Log.entryAdded") {
    const { level, source, text, url } = (params as LogEntry).entry;
    return level === "error" ? `${source}: ${text}${url ? ` (${url})` : ""}` : undefined;
  }
  return undefined;
}

/** The faults that nobody expected, and what was expected and did not come. Each expectation stands for one fault. */
export function unexpected(faults: readonly string[], expected: readonly RegExp[]): string[] {
  const open = [...faults];
  const missed = expected.filter((pattern) => {
    const at = open.findIndex((fault) => pattern.test(fault));
    if (at >= 0) open.splice(at, 1);
    return at < 0;
  });
  return [...open, ...missed.map((pattern) => `expected, and not seen: ${String(pattern)}`)];
}
