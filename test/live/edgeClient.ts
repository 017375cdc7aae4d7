import * as https from "node:https";
import { outputs } from "./world";

export interface Reply {
  readonly status: number;
  readonly text: string;
  /** Where it is JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface EdgeClient {
  readonly host: string;
  /** As a browser does, by the name and the authority that the stack's outputs give. */
  readonly ask: (method: string, path: string, content?: string, type?: string) => Promise<Reply>;
}

export async function edgeClient(stack: string, app: string): Promise<EdgeClient> {
  const { edge } = await outputs(stack);
  const host = new URL(edge.hosts[app] ?? "").hostname;
  const ask: EdgeClient["ask"] = (method, path, content, type = "application/json") =>
    new Promise((done, fail) => {
      const options = {
        host: edge.address,
        servername: host,
        method,
        path,
        headers: { host, ...(content === undefined ? {} : { "content-type": type }) },
        ca: edge.certificateAuthority,
        agent: false,
        timeout: 20_000,
      };
      const request = https.request(options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("error", fail);
        response.on("end", () => {
          const body = text.startsWith("{") ? (JSON.parse(text) as Reply["body"]) : {};
          done({ status: response.statusCode ?? 0, text, body });
        });
      });
      request.on("timeout", () => request.destroy(new Error("no answer in 20 s")));
      request.on("error", fail);
      request.end(content);
    });
  return { host, ask };
}
