import type { IncomingMessage } from "node:http";

const SPECULATIVE = ["purpose", "sec-purpose", "x-purpose", "x-moz"];

/** Whether a request is somebody looking at the page, and not a program that checks or fetches it ahead of time. */
export function isVisit({ method, url = "", headers }: Pick<IncomingMessage, "method" | "url" | "headers">): boolean {
  if (method !== "GET" || url.startsWith("/_next/") || headers["x-nextjs-data"] !== undefined) return false;
  return !SPECULATIVE.some((name) => /prefetch|prerender|preview/i.test(String(headers[name] ?? "")));
}
