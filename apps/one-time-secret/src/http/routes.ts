import type { IncomingMessage } from "node:http";
import type { Metrics } from "../metrics";
import type { Secrets } from "../secrets";
import type { Store } from "../store";
import { fieldsOf } from "./body";
import { creation, reading } from "./fields";
import { page } from "./pages";
import { Problem, gone } from "./problem";

export interface Reply {
  status: number;
  type: string;
  body: string | Buffer;
}

type Handler = (request: IncomingMessage, id: string) => Reply | Promise<Reply>;

export interface Route {
  /** Names it in metrics and logs, which never see what is in the path. */
  name: string;
  path: RegExp;
  /** HEAD is where GET is. */
  methods: Partial<Record<"GET" | "POST", Handler>>;
}

export interface Parts {
  secrets: Secrets;
  store: Store;
  metrics: Metrics;
  /** Whether it is about to stop. */
  stopping: () => boolean;
}

/** A probe that waits longer than this has its answer. */
const READY_WITHIN_MS = 1000;

const json = (value: unknown, status = 200): Reply => ({
  status,
  type: "application/json; charset=utf-8",
  body: `${JSON.stringify(value)}\n`,
});

export function routes({ secrets, store, metrics, stopping }: Parts): Route[] {
  const file = (name: string, path: RegExp, source: string): Route => {
    const { type, body } = page(source);
    return { name, path, methods: { GET: () => ({ status: 200, type, body }) } };
  };

  async function create(request: IncomingMessage): Promise<Reply> {
    const base = baseOf(request);
    const { secret, passphrase, ttlMs } = creation(await fieldsOf(request));
    const { id, key, expires } = await secrets.create(secret, ttlMs, passphrase);
    metrics.count("one_time_secret_created_total");
    return json({ link: `${base}/s/${id}#${key}`, id, key, expires: new Date(expires).toISOString() }, 201);
  }

  async function look(_: IncomingMessage, id: string): Promise<Reply> {
    const found = await secrets.look(id);
    if (found.state !== "waiting") throw gone(found);
    return json({ passphrase: found.locked, expires: new Date(found.expires).toISOString() });
  }

  async function reveal(request: IncomingMessage, id: string): Promise<Reply> {
    const revealed = await secrets.reveal({ id, ...reading(await fieldsOf(request)) });
    if (revealed.state === "revealed") {
      metrics.count("one_time_secret_revealed_total");
      return json({ secret: revealed.secret });
    }
    metrics.count("one_time_secret_refused_total", { reason: revealed.state });
    if (revealed.state === "locked")
      throw new Problem(422, "passphrase_required", "This secret takes a passphrase.", { field: "passphrase" });
    if (revealed.state !== "wrong") throw gone(revealed);
    const { guessesLeft: attemptsLeft } = revealed;
    const more = attemptsLeft === 1 ? "One more try" : `${attemptsLeft} more tries`;
    throw new Problem(403, "wrong_passphrase", `That is not the passphrase. ${more}, then the secret is destroyed.`, {
      field: "passphrase",
      facts: { attemptsLeft },
    });
  }

  async function ready(): Promise<Reply> {
    const reason = stopping() ? "shutting down" : await store.fault(READY_WITHIN_MS);
    return reason === undefined ? json({ ready: true }) : json({ ready: false, reason }, 503);
  }

  async function tell(): Promise<Reply> {
    const up = (await store.fault(READY_WITHIN_MS)) === undefined;
    const body = metrics.text({
      one_time_secret_redis_up: ["Whether Redis answers.", up ? 1 : 0],
      process_resident_memory_bytes: ["Memory in use.", process.memoryUsage.rss()],
      process_start_time_seconds: ["When the process started.", Math.round(Date.now() / 1000 - process.uptime())],
    });
    return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body };
  }

  return [
    file("page", /^\/$/, "index.html"),
    // The same for every link, and without a look at Redis: programs that preview links use nothing up.
    file("link", /^\/s\/[\w-]{22}$/, "read.html"),
    ...["app.css", "api.mjs", "page.mjs", "create.mjs", "read.mjs", "icon.svg"].map((source) =>
      file("asset", new RegExp(`^/assets/${source.replace(".", "\\.")}$`), source),
    ),
    { name: "create", path: /^\/api\/v1\/secrets$/, methods: { POST: create } },
    { name: "look", path: /^\/api\/v1\/secrets\/([^/]+)$/, methods: { GET: look } },
    { name: "reveal", path: /^\/api\/v1\/secrets\/([^/]+)\/reveal$/, methods: { POST: reveal } },
    { name: "healthz", path: /^\/healthz$/, methods: { GET: () => json({ alive: true }) } },
    { name: "readyz", path: /^\/readyz$/, methods: { GET: ready } },
    { name: "metrics", path: /^\/metrics$/, methods: { GET: tell } },
  ];
}

/** How whoever asks has reached us, which the edge passes on. */
function baseOf({ headers }: IncomingMessage): string {
  const host = headers.host ?? "";
  if (!/^[a-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-f:.]+\](:\d{1,5})?$/i.test(host))
    throw new Problem(400, "bad_host", "The request does not say for which host it is.");
  const forwarded = String(headers["x-forwarded-proto"] ?? "").split(",")[0];
  const scheme = forwarded === "https" ? "https" : "http";
  return `${scheme}://${host}`;
}
