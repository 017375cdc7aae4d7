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
  readonly ca?: Buffer | string;
  /** Where to connect in place of the URL's host, whose name stays in the request and in TLS. */
  readonly address?: string;
  readonly timeoutMs?: number;
}

export function ask(url: string, question: Question = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body, ca, address, timeoutMs = 5000 } = question;
  const { host, hostname: servername } = new URL(url);
  const elsewhere = address ? { hostname: address, servername } : {};
  return new Promise((done, fail) => {
    const client = url.startsWith("https:") ? https : http;
    const options = { method, headers: { host, ...headers }, ca, timeout: timeoutMs, agent: false, ...elsewhere };
    const request = client.request(url, options, (response) => {
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
