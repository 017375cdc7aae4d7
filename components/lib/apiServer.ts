import * as https from "node:https";
import type { Kubeconfig } from "./kubeconfig";

const TIMEOUT_MS = 10_000;

export interface Request {
  readonly method: "GET" | "PATCH" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const READ: Request = { method: "GET", headers: {} };

const FORBIDDEN = Symbol("forbidden");
/** Whether a question failed for want of the right to ask it. */
export const isForbidden = (error: unknown): boolean => error instanceof Error && error.cause === FORBIDDEN;

const NO = Symbol("no");
/** Whether the server understood a request and will not have it: a conflict, or what is not valid. */
export const isRefused = (error: unknown): boolean => error instanceof Error && error.cause === NO;
const isNo = (status: number): boolean => [400, 409, 422].includes(status);

/** How many questions are open at once where connections are kept. */
const CONNECTIONS = 16;

/** One cluster's API as the kubeconfig's identity sees it; it logs in once. */
export class ApiServer {
  private readonly login: ReturnType<Kubeconfig["credential"]>;
  private readonly agent: https.Agent | false;

  /** With `keepAlive` for whoever asks hundreds of questions. */
  constructor(
    private readonly kubeconfig: Kubeconfig,
    { keepAlive = false } = {},
  ) {
    this.login = kubeconfig.credential();
    this.agent = keepAlive && new https.Agent({ keepAlive, maxSockets: CONNECTIONS });
  }

  async get<T>(url: string): Promise<T> {
    const found = await this.ask<T>(url);
    if (found === undefined) throw this.unanswered(`404 to ${url}`);
    return found;
  }

  /** What the cluster has there, or makes of the request; undefined where it has nothing. */
  ask<T>(url: string, { method, headers, body }: Request = READ): Promise<T | undefined> {
    const { cert, key, token } = this.login;
    return new Promise((done, fail) => {
      const refuse = (reason: string): void => fail(this.unanswered(reason));
      const request = https.request(
        new URL(url, this.kubeconfig.server),
        {
          method,
          ca: this.kubeconfig.caData,
          cert,
          key,
          timeout: TIMEOUT_MS,
          headers: { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
          agent: this.agent,
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => (text += chunk));
          response.on("error", (error) => refuse(error.message));
          response.on("end", () => {
            const { statusCode = 0 } = response;
            if (statusCode === 404) return done(undefined);
            const cause = statusCode === 403 ? FORBIDDEN : isNo(statusCode) ? NO : undefined;
            if (cause) return fail(this.refusing(messageIn(text) ?? `${statusCode} to ${url}`, cause));
            if (statusCode !== 200 && statusCode !== 201) return refuse(`${statusCode} to ${url}`);
            try {
              done(JSON.parse(text) as T);
            } catch {
              refuse(`no JSON to ${url}, but ${JSON.stringify(text.slice(0, 60))}`);
            }
          });
        },
      );
      request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
      request.on("error", (error) => refuse(error.message));
      request.end(body);
    });
  }

  private refusing(reason: string, cause: symbol): Error {
    const { server, context } = this.kubeconfig;
    return new Error(`the cluster at ${server} (context "${context}") refuses: ${reason}`, { cause });
  }

  private unanswered(reason: string): Error {
    const { server, context } = this.kubeconfig;
    return new Error(
      `the cluster at ${server} (context "${context}") does not answer: ${reason}. Is it up? (npm run sandbox -- status)`,
    );
  }
}

/** What the API server says beside a status code. */
function messageIn(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string }).message;
  } catch {
    return undefined;
  }
}
