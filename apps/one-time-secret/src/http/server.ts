import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { Socket } from "node:net";
import { log, origin } from "../log";
import { Metrics } from "../metrics";
import { type Secrets, Unanswered } from "../secrets";
import { type Store, Unavailable } from "../store";
import { page } from "./pages";
import { Problem, unavailable } from "./problem";
import { type Reply, type Route, routes } from "./routes";

/** How long, in milliseconds, a client may take. */
export interface Patience {
  /** From the first byte of a request to its last. */
  request: number;
  headers: number;
  /** Longer than a proxy in front keeps its idle connections, so that it is the one who closes them. */
  idle: number;
  /** While nothing moves on a connection and something should, such as the answer to a reader who does not take it. */
  stuck: number;
}

const USUAL: Patience = { request: 10_000, headers: 5000, idle: 95_000, stuck: 30_000 };
const CONNECTIONS = 500;
const MENTION_EVERY_MS = 10_000;

const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "X-Robots-Tag": "noindex, nofollow",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
} as const;

const METRICS = {
  http_requests_total: "Requests answered.",
  one_time_secret_created_total: "Secrets taken in.",
  one_time_secret_revealed_total: "Secrets opened.",
  one_time_secret_refused_total: "Secrets asked for and not given, by what was in the way.",
} as const;

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The service over HTTP. */
export class WebServer {
  readonly #server: Server;
  readonly #routes: Route[];
  readonly #notFound = page("not-found.html");
  readonly #metrics = new Metrics(METRICS);
  #stopping = false;
  #mentioned = 0;

  constructor(secrets: Secrets, store: Store, patience: Patience = USUAL) {
    this.#routes = routes({ secrets, store, metrics: this.#metrics, stopping: () => this.#stopping });
    const options = {
      requestTimeout: patience.request,
      headersTimeout: patience.headers,
      keepAliveTimeout: patience.idle,
      connectionsCheckingInterval: Math.min(1000, patience.headers / 5),
    };
    this.#server = createServer(options, (request, response) => void this.#answer(request, response));
    this.#server.maxConnections = CONNECTIONS;
    this.#server.setTimeout(patience.stuck);
    this.#server.on("clientError", refuse);
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

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = ""] = (request.url ?? "").split("?");
    const route = this.#routes.find((each) => each.path.test(path));
    const name = route?.name ?? "none";
    const reply = await this.#replyTo(request, path, route).catch((error: unknown) =>
      this.#sorry(error, request, name),
    );
    const method = METHODS.includes(request.method ?? "") ? request.method : "other";
    this.#metrics.count("http_requests_total", { route: name, method: method ?? "other", code: reply.status });
    const headers = { ...HEADERS, "Content-Type": reply.type, "Content-Length": Buffer.byteLength(reply.body) };
    response.writeHead(reply.status, { ...headers, ...reply.headers, ...(this.#stopping && { Connection: "close" }) });
    response.end(request.method === "HEAD" ? undefined : reply.body);
  }

  async #replyTo(request: IncomingMessage, path: string, route: Route | undefined): Promise<FullReply> {
    if (!route) throw new Problem(404, "not_found", "There is nothing here.");
    const { GET, POST } = route.methods;
    const handler = request.method === "POST" ? POST : ["GET", "HEAD"].includes(request.method ?? "") ? GET : undefined;
    if (!handler) {
      const allowed = [...(GET ? ["GET", "HEAD"] : []), ...(POST ? ["POST"] : [])].join(", ");
      throw new Problem(405, "method_not_allowed", `Allowed here: ${allowed}.`, { headers: { Allow: allowed } });
    }
    return handler(request, route.path.exec(path)?.[1] ?? "");
  }

  #sorry(error: unknown, request: IncomingMessage, route: string): FullReply {
    const problem = error instanceof Problem ? error : this.#unforeseen(error, route);
    const { status, more } = problem;
    // Somebody who follows a broken link wants to read something.
    if (status === 404 && route === "none" && /text\/html/.test(request.headers.accept ?? ""))
      return { status, ...this.#notFound };
    return { status, type: "application/json; charset=utf-8", body: problem.body, headers: more.headers };
  }

  #unforeseen(error: unknown, route: string): Problem {
    if (error instanceof Unavailable) {
      this.#mention(`${route}: ${error.message}`);
      return unavailable(error instanceof Unanswered ? { reader: error.reader } : {});
    }
    log("error", `${route}: ${origin(error)}`);
    return new Problem(500, "internal", "Something went wrong here. It is not your fault.");
  }

  /** While Redis is away every request fails alike. */
  #mention(reason: string): void {
    if (Date.now() - this.#mentioned < MENTION_EVERY_MS) return;
    this.#mentioned = Date.now();
    log("error", reason);
  }
}

type FullReply = Reply & { headers?: Readonly<Record<string, string>> };

const REFUSALS: Readonly<Record<string, [status: string, code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "too_large", "The request's headers are too large."],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "too_slow", "The request took too long."],
};

/** For what is not even a request. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, message] = REFUSALS[error.code ?? ""] ?? ["400 Bad Request", "bad_request", "This is not HTTP."];
  const body = `${JSON.stringify({ error: { code, message } })}\n`;
  const headers = `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}`;
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nCache-Control: no-store\r\n${headers}\r\n\r\n${body}`);
}
