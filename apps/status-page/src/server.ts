import { readFileSync } from "node:fs";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { join } from "node:path";
import { metrics } from "./metrics";
import { page } from "./page";
import { report } from "./report";
import type { Watch } from "./watch";

const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "X-Robots-Tag": "noindex, nofollow",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
} as const;

const CONNECTIONS = 500;
/** Longer than a proxy in front keeps its idle connections, so that it is the one who closes them. */
const TIMES = { requestTimeout: 10_000, headersTimeout: 5000, keepAliveTimeout: 95_000 };
const HTML = "text/html; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const json = (value: unknown, status = 200, headers = {}): Reply => ({
  status,
  type: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`,
  headers,
});
const refused = (status: number, code: string, message: string, headers = {}): Reply =>
  json({ error: { code, message } }, status, headers);

/** The page over HTTP. It takes no input, and everything is GET. */
export class WebServer {
  readonly #server: Server;
  readonly #routes: Readonly<Record<string, (query: URLSearchParams) => Reply>>;
  readonly #style = readFileSync(join(__dirname, "../public/style.css"), "utf8");
  #stopping = false;

  constructor(private readonly watch: Watch) {
    this.#routes = {
      "/": (query) =>
        this.#seen(() => ({ status: 200, type: HTML, body: page(report(watch, Date.now()), query.has("paused")) })),
      "/style.css": () => ({ status: 200, type: "text/css; charset=utf-8", body: this.#style }),
      "/api/status": () => this.#seen(() => json(report(watch, Date.now()))),
      "/healthz": () => json({ alive: true }),
      "/readyz": () =>
        this.#stopping ? json({ ready: false, reason: "shutting down" }, 503) : this.#seen(() => json({ ready: true })),
      "/metrics": () => ({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: metrics(watch) }),
    };
    this.#server = createServer(TIMES, (request, response) => this.#answer(request, response));
    this.#server.maxConnections = CONNECTIONS;
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

  /** Takes nothing new, ends what it began, and cuts off what takes too long. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const cut = setTimeout(() => this.#server.closeAllConnections(), withinMs);
    await closed;
    clearTimeout(cut);
  }

  /** Before the first round it would show what was, as if it were. */
  #seen(reply: () => Reply): Reply {
    if (this.watch.rounds > 0) return reply();
    return refused(503, "starting", "The first round of questions is not over yet.", { "Retry-After": "2" });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [path = "", query = ""] = (request.url ?? "").split("?", 2);
    const { status, type, body, headers } = this.#replyTo(request.method ?? "", path, new URLSearchParams(query));
    const own = { "Content-Type": type, "Content-Length": Buffer.byteLength(body) };
    response.writeHead(status, { ...HEADERS, ...own, ...headers, ...(this.#stopping && { Connection: "close" }) });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  #replyTo(method: string, path: string, query: URLSearchParams): Reply {
    const route = Object.hasOwn(this.#routes, path) ? this.#routes[path] : undefined;
    if (!route) return refused(404, "not_found", "There is nothing here.");
    if (method === "GET" || method === "HEAD") return route(query);
    const Allow = "GET, HEAD";
    return refused(405, "method_not_allowed", `Allowed here: ${Allow}.`, { Allow });
  }
}
