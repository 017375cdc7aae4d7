import http from "node:http";

/** The answers, by path. */
const ANSWERS = {
  "/": () => "hello from __NAME__\n",
  // Alive: answered for as long as a restart would not help.
  "/healthz": () => "ok\n",
  // Ready for requests: here is where to ask what it depends on.
  "/readyz": () => "ok\n",
};

export const createServer = () =>
  http.createServer(({ url = "/", method }, response) => {
    const path = url.split("?", 1)[0];
    const text = (status, body, headers = {}) => {
      response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...headers });
      response.end(body);
    };
    if (!Object.hasOwn(ANSWERS, path)) return text(404, "there is nothing here\n");
    if (method !== "GET" && method !== "HEAD") return text(405, "only GET and HEAD\n", { allow: "GET, HEAD" });
    text(200, ANSWERS[path]());
  });
