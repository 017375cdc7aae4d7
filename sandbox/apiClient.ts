import * as fs from "node:fs";
import * as https from "node:https";

/** The little of the Kubernetes API that the sandbox's own controller needs. */
export interface ApiClient {
  request<T>(method: string, url: string, body?: unknown): Promise<T>;
  /** Calls back for every event until the stream ends. */
  watch(url: string, onEvent: (event: unknown) => void): Promise<void>;
}

interface ComponentKubeconfig {
  clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
  users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

export function apiClient(kubeconfig: string): ApiClient {
  const config = JSON.parse(fs.readFileSync(kubeconfig, "utf8")) as ComponentKubeconfig;
  const cluster = config.clusters[0]?.cluster;
  const user = config.users[0]?.user;
  if (!cluster || !user) throw new Error(`${kubeconfig} holds no cluster and user`);
  const decode = (text: string): Buffer => Buffer.from(text, "base64");
  const agent = new https.Agent({
    ca: decode(cluster["certificate-authority-data"]),
    cert: decode(user["client-certificate-data"]),
    key: decode(user["client-key-data"]),
    keepAlive: true,
  });
  const open = (
    method: string,
    url: string,
    body: unknown,
    onResponse: (response: import("node:http").IncomingMessage) => void,
    fail: (error: Error) => void,
  ): void => {
    const request = https.request(new URL(url, cluster.server), {
      method,
      agent,
      headers: body === undefined ? {} : { "content-type": "application/merge-patch+json" },
    });
    request.on("error", fail);
    request.on("response", onResponse);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  };
  return {
    request: <T>(method: string, url: string, body?: unknown) =>
      new Promise<T>((done, fail) => {
        open(
          method,
          url,
          body,
          (response) => {
            let text = "";
            response.setEncoding("utf8");
            response.on("data", (chunk: string) => (text += chunk));
            response.on("error", fail);
            response.on("end", () => {
              if ((response.statusCode ?? 500) >= 300)
                fail(new Error(`${method} ${url}: ${response.statusCode} ${text.slice(0, 300)}`));
              else done(JSON.parse(text) as T);
            });
          },
          fail,
        );
      }),
    watch: (url, onEvent) =>
      new Promise<void>((done, fail) => {
        open(
          "GET",
          url,
          undefined,
          (response) => {
            let rest = "";
            response.setEncoding("utf8");
            response.on("data", (chunk: string) => {
              const lines = (rest + chunk).split("\n");
              rest = lines.pop() ?? "";
              for (const line of lines) onEvent(JSON.parse(line));
            });
            response.on("error", fail);
            response.on("end", done);
          },
          fail,
        );
      }),
  };
}
