import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Expected } from "./checksums";

const ATTEMPTS = 4;
export const RETRY_PAUSE_MS = 250;
/** A server that sends nothing for so long has lost us. */
const STALL_MS = 30_000;

/** With a download origin, every publisher's host becomes a first path segment below it. */
export function actualUrl(url: string, origin: string | undefined): string {
  if (!origin) return url;
  const { host, pathname, search } = new URL(url);
  return `${origin}/${host}${pathname}${search}`;
}

/** An answer that asking again will not change. */
class FinalAnswer extends Error {}

interface FileRequest {
  readonly url: string;
  readonly origin: string | undefined;
  readonly expected: Expected;
  /** Directory of half-finished files, kept over runs so that a later one resumes them. */
  readonly directory: string;
  readonly note?: (text: string) => void;
  /** Before the second attempt; three times as long before each further one. */
  readonly retryPauseMs: number;
}

/** Fetches a file and returns its path once its checksum is right. What is half-finished is resumed, never used. */
export async function fetchVerified(request: FileRequest): Promise<string> {
  const { url, expected } = request;
  fs.mkdirSync(request.directory, { recursive: true });
  const id = crypto.createHash("sha256").update(`${url} ${expected.value}`).digest("hex").slice(0, 16);
  const part = path.join(request.directory, `${path.posix.basename(new URL(url).pathname)}.${id}.part`);
  const resumed = (fs.statSync(part, { throwIfNoEntry: false })?.size ?? 0) > 0;
  let got = await fetchAndHash(request, part);
  // The remains of an earlier run may be of a file that has since been replaced: worth one fresh start.
  if (got !== expected.value && resumed) got = await fetchAndHash(request, part);
  if (got !== expected.value)
    throw new Error(
      `checksum mismatch of ${actualUrl(url, request.origin)}\n` +
        `  expected ${expected.algorithm} ${expected.value} (from ${expected.from})\n` +
        `  got      ${expected.algorithm} ${got}\n` +
        `  The file was thrown away and nothing was installed. If the publisher replaced it on purpose, ` +
        `change the checksum in toolchain/lock.json; otherwise do not trust this source.`,
    );
  return part;
}

async function fetchAndHash(request: FileRequest, part: string): Promise<string> {
  await fetchWhole(request, part);
  const got = await hashFile(part, request.expected.algorithm);
  if (got !== request.expected.value) fs.rmSync(part, { force: true });
  return got;
}

async function fetchWhole(request: FileRequest, part: string): Promise<void> {
  const url = actualUrl(request.url, request.origin);
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchRest(url, part, request.note);
    } catch (error) {
      if (error instanceof FinalAnswer) throw error;
      if (attempt === ATTEMPTS)
        throw new Error(`${url}: ${reason(error)}, also at attempt ${attempt}; what arrived is kept and resumed`);
      await sleep(request.retryPauseMs * 3 ** (attempt - 1));
    }
  }
}

/** Asks for what is missing of `part`, or for all of it when the server cannot continue. */
async function fetchRest(url: string, part: string, note: FileRequest["note"]): Promise<void> {
  const have = fs.statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  const stalled = new AbortController();
  const watchdog = setTimeout(() => stalled.abort(new Error(`no data for ${STALL_MS / 1000} s`)), STALL_MS);
  try {
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (have > 0) headers["range"] = `bytes=${have}-`;
    const response = await fetch(url, { headers, signal: stalled.signal });
    if (response.status === 416) {
      // All of it is here already, or too much is: the checksum tells which.
      await response.body?.cancel();
      return;
    }
    if (response.status >= 400 && response.status < 500 && response.status !== 429)
      throw new FinalAnswer(
        `${url}: answered ${response.status} ${response.statusText}: it is not there (any more), or not for you`,
      );
    if (!response.ok || !response.body) throw new Error(`answered ${response.status}`);
    const continues = response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${have}-`);
    const expected = Number(response.headers.get("content-length") ?? NaN) + (continues ? have : 0);
    let received = continues ? have : 0;
    const file = fs.openSync(part, continues ? "a" : "w");
    try {
      for await (const chunk of response.body) {
        watchdog.refresh();
        fs.writeSync(file, chunk as Uint8Array);
        received += (chunk as Uint8Array).length;
        note?.(`${megabytes(received)}${Number.isNaN(expected) ? "" : ` of ${megabytes(expected)}`} MB`);
      }
    } finally {
      fs.closeSync(file);
    }
    if (received < expected) throw new Error(`connection ended after ${received} of ${expected} bytes`);
  } finally {
    clearTimeout(watchdog);
  }
}

/** A small text such as a list of checksums. */
export async function fetchText(url: string, origin: string | undefined): Promise<string> {
  const actual = actualUrl(url, origin);
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(actual, { signal: AbortSignal.timeout(STALL_MS) });
      if (response.ok) return await response.text();
      if (response.status < 500) throw new FinalAnswer(`${actual}: answered ${response.status} ${response.statusText}`);
      throw new Error(`answered ${response.status}`);
    } catch (error) {
      if (error instanceof FinalAnswer) throw error;
      if (attempt === ATTEMPTS) throw new Error(`${actual}: ${reason(error)}, also at attempt ${attempt}`);
      await sleep(RETRY_PAUSE_MS * 3 ** (attempt - 1));
    }
  }
}

async function hashFile(file: string, algorithm: string): Promise<string> {
  const hash = crypto.createHash(algorithm);
  for await (const chunk of fs.createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** fetch() says "fetch failed" and keeps what happened in the cause. */
function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message || message : message;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}
