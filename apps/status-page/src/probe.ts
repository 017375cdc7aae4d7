import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import type { Endpoint } from "./settings";

export interface Answer {
  readonly up: boolean;
  readonly ms: number;
  /** Why it is not up, in a few words that may be shown to everybody. */
  readonly reason?: string;
}

export interface Patience {
  readonly ca?: string;
  readonly timeoutMs: number;
}

const UNKNOWN_AUTHORITY = "certificate of an unknown authority";
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection broken off",
  EHOSTUNREACH: "no way there",
  ENETUNREACH: "no way there",
  ETIMEDOUT: "no connection",
  ENOTFOUND: "no such address",
  EAI_AGAIN: "its name cannot be resolved",
  CERT_HAS_EXPIRED: "certificate expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate for another name",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
};

/** Asks once, on a connection of its own, as a new visitor would. Never fails: what goes wrong is the answer. */
export function probe({ url, connect }: Endpoint, { ca, timeoutMs }: Patience): Promise<Answer> {
  const started = performance.now();
  return new Promise((resolve) => {
    const options = {
      host: connect?.host ?? url.hostname,
      port: connect?.port ?? url.port,
      path: url.pathname + url.search,
      headers: { host: url.host, "user-agent": "status-page" },
      agent: false,
    };
    const request =
      url.protocol === "https:"
        ? overHttps({ ...options, servername: url.hostname, ...(ca && { ca }) })
        : overHttp(options);
    const end = (reason?: string): void => {
      clearTimeout(timer);
      request.destroy();
      const ms = Math.round(performance.now() - started);
      resolve(reason === undefined ? { up: true, ms } : { up: false, ms, reason });
    };
    // One deadline for all of it: names, connection, TLS and answer.
    const timer = setTimeout(() => end(`no answer in ${timeoutMs / 1000} s`), timeoutMs);
    request.on("response", ({ statusCode = 0 }) =>
      end(statusCode >= 200 && statusCode < 300 ? undefined : `answers ${statusCode}`),
    );
    request.on("error", ({ code = "" }: NodeJS.ErrnoException) => end(REASONS[code] ?? `fails (${code || "unknown"})`));
    request.end();
  });
}
