import * as http from "node:http";
import * as https from "node:https";

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Authorities to trust, PEM; the system's own without it. */
  readonly ca?: Buffer;
  readonly timeoutMs?: number;
}

export function ask(url: string, question: Question = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body, ca, timeoutMs = 5000 } = question;
  return new Promise((done, fail) => {
    const client = url.startsWith("https:") ? https : http;
    const request = client.request(url, { method, headers, ca, timeout: timeoutMs, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", fail);
      response.on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.on("timeout", () => request.destroy(new Error(`${url}: no answer in ${timeoutMs / 1000} s`)));
    request.on("error", fail);
    request.end(body);
  });
}
