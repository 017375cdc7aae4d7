import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { pipeline } from "node:stream/promises";
import { conditionsOf, mayBeWhole } from "./conditions";
import { log, origin } from "./log";
import { Metrics } from "./metrics";
import { keyOf } from "./paths";
import { Refused, type Store, Unavailable, codeOf } from "./store";

const CONNECTIONS = 1000;
/** Longer than a proxy in front keeps its idle connections, so that it is the one who closes them. */
const IDLE_MS = 95_000;
/** While nothing moves on a connection and something should, such as an answer that nobody takes. */
const STUCK_MS = 30_000;
const REQUEST_MS = 10_000;
const READY_MS = 1000;
const MENTION_EVERY_MS = 10_000;

const HEADERS = {
  // Kept by whoever likes, and asked for again each time, which is short where nothing changed.
  "Cache-Control": "no-cache",
  "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; frame-ancestors 'none'; sandbox",
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
} as const;

/** Of what the store says of an object. */
const PASSED = [
  ...["content-type", "content-length", "content-range", "content-encoding", "content-language"],
  ...["etag", "last-modified", "accept-ranges"],
];

const METRICS = {
  http_requests_total: "Requests answered.",
  http_sent_bytes_total: "Bytes of objects sent.",
  file_site_store_failures_total: "Requests that the store did not answer as it should.",
} as const;

const ALLOWED = ["GET", "HEAD"];
const METHODS = [...ALLOWED, "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>> } & (
  { readonly body: string } | { readonly from: IncomingMessage }
);

const told = (status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", ...headers },
  body: `${message}\n`,
});

const NOT_FOUND = told(404, "There is nothing here.");

/** The objects of a bucket over HTTP. */
export class Site {
  readonly #server: Server;
  readonly #metrics = new Metrics(METRICS);
  #stopping = false;
  #mentioned = 0;

  constructor(
    private readonly store: Store,
    /** Called once the store does not take its key any more. */
    private readonly onRefused: (reason: string) => void = () => undefined,
  ) {
    const times = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: IDLE_MS };
    this.#server = createServer(times, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        log("error", origin(error));
        response.destroy();
      });
    });
    this.#server.maxConnections = CONNECTIONS;
    this.#server.setTimeout(STUCK_MS);
  }

  /** Gives the port, which is another than asked for where that is 0. */
  listen(port: number, host?: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        const address = this.#server.address();
        resolve(typeof address === "object" && address ? address.port : port);
      });
    });
  }

  /** Says that it is not ready, then takes nothing new, ends what it began, and cuts off what takes too long. */
  async stop(noticeMs: number, withinMs: number): Promise<void> {
    this.#stopping = true;
    await new Promise((resolve) => setTimeout(resolve, noticeMs));
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const cut = setTimeout(() => this.#server.closeAllConnections(), withinMs);
    await closed;
    clearTimeout(cut);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const answer = await this.#answer(request, gone.signal).catch((error: unknown) => this.#sorry(error));
    if (response.destroyed) return void ("from" in answer && answer.from.destroy());
    const { method = "" } = request;
    const known = METHODS.includes(method) ? method : "other";
    this.#metrics.count("http_requests_total", { method: known, code: answer.status });
    const headers = { ...HEADERS, ...answer.headers, ...(this.#stopping && { Connection: "close" }) };
    if ("body" in answer) {
      const length = Buffer.byteLength(answer.body);
      response.writeHead(answer.status, { ...(answer.status !== 304 && { "Content-Length": length }), ...headers });
      response.end(method === "HEAD" ? undefined : answer.body);
      return;
    }
    response.writeHead(answer.status, headers);
    await this.#pass(answer.from, response);
  }

  /** As fast as it is taken, and nothing of it kept. What breaks off in the middle is broken off here too. */
  async #pass(from: IncomingMessage, response: ServerResponse): Promise<void> {
    from.on("data", (part: Buffer) => this.#metrics.count("http_sent_bytes_total", {}, part.length));
    try {
      await pipeline(from, response);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ERR_STREAM_PREMATURE_CLOSE" || !from.complete) this.#mention(`an answer broke off: ${code}`);
      response.destroy();
    }
  }

  async #answer(request: IncomingMessage, signal: AbortSignal): Promise<Answer> {
    const { method = "", url = "" } = request;
    const path = url.split(/[?#]/, 1)[0] ?? "";
    if (!ALLOWED.includes(method)) {
      const allowed = ALLOWED.join(", ");
      return told(405, `Allowed here: ${allowed}.`, { Allow: allowed });
    }
    if (path === "/healthz") return told(200, "ok");
    if (path === "/readyz") return this.#ready();
    // Not for those who come through a proxy from outside.
    if (path === "/metrics" && request.headers["x-forwarded-for"] === undefined)
      return told(200, this.#metrics.text().trimEnd(), { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
    const key = path.startsWith("/") ? keyOf(path) : undefined;
    return key === undefined ? NOT_FOUND : this.#object(request, key, signal);
  }

  async #ready(): Promise<Answer> {
    if (this.#stopping) return told(503, "stopping");
    const fault = await this.store.check(AbortSignal.timeout(READY_MS)).then(
      () => undefined,
      (error: Error) => error,
    );
    if (fault instanceof Refused) this.onRefused(fault.message);
    return fault ? told(503, fault.message) : told(200, "ok");
  }

  async #object(request: IncomingMessage, key: string, signal: AbortSignal): Promise<Answer> {
    const method = request.method === "HEAD" ? "HEAD" : "GET";
    const conditions = conditionsOf(request.headers, method);
    const ask = (headers: Readonly<Record<string, string>>): Promise<IncomingMessage> =>
      this.store.ask({ method, key, headers, signal });
    let from = await ask(conditions.part ?? conditions.whole);
    if (from.statusCode === 412 && mayBeWhole(request.headers, conditions)) {
      from.resume();
      from = await ask(conditions.whole);
    }
    switch (from.statusCode) {
      case 200:
      case 206:
        return { status: from.statusCode, headers: passed(from), from };
      case 304: {
        from.resume();
        const { "content-length": _, "content-type": __, ...headers } = passed(from);
        return { status: 304, headers, body: "" };
      }
      case 412:
        from.resume();
        return told(412, "It is not as you say it is.");
      case 416:
        from.resume();
        return this.#outOfRange(key, signal);
      default:
        return this.#missing(method, key, from, signal);
    }
  }

  async #outOfRange(key: string, signal: AbortSignal): Promise<Answer> {
    const whole = await this.store.ask({ method: "HEAD", key, signal });
    whole.resume();
    return told(416, "It is not that long.", { "Content-Range": `bytes */${whole.headers["content-length"] ?? "*"}` });
  }

  /** An answer without a body has no code that could tell a missing object from a missing bucket. */
  async #missing(method: string, key: string, from: IncomingMessage, signal: AbortSignal): Promise<Answer> {
    let code = await codeOf(from);
    const { statusCode } = from;
    if (method === "HEAD" && statusCode === 404) {
      const again = await this.store.ask({ method: "GET", key, signal });
      if (again.statusCode === 200) again.destroy();
      code = again.statusCode === 200 ? "" : await codeOf(again);
    }
    if (statusCode === 404 && code === "NoSuchKey") return NOT_FOUND;
    throw new Unavailable(`the store answered ${statusCode} ${code}`);
  }

  #sorry(error: unknown): Answer {
    this.#metrics.count("file_site_store_failures_total");
    if (error instanceof Unavailable) this.#mention(error.message);
    else log("error", origin(error));
    return told(503, "This cannot be had at the moment. Please try again in a few seconds.", { "Retry-After": "2" });
  }

  /** While the store is away every request fails alike. */
  #mention(reason: string): void {
    if (Date.now() - this.#mentioned < MENTION_EVERY_MS) return;
    this.#mentioned = Date.now();
    log("error", reason);
  }
}

const passed = ({ headers }: IncomingMessage): Record<string, string> => {
  const found = PASSED.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])] as const]));
  return { "content-type": "application/octet-stream", ...Object.fromEntries(found) };
};
