import { createHash } from "node:crypto";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { StoreSettings } from "../src/settings";
import { signed } from "../src/signature";

export interface Kept {
  readonly content: Buffer;
  readonly type: string;
}

const MODIFIED = "Sat, 01 Nov 2025 10:00:00 GMT";

/** As much of S3 as the site asks of it, on loopback: who comes without a sound signature gets nothing. */
export class FakeStore {
  readonly objects = new Map<string, Kept>();
  readonly asked: { method: string; path: string; headers: IncomingMessage["headers"] }[] = [];
  /** In place of an answer, where a test gives one. */
  trouble?: (request: IncomingMessage, response: ServerResponse) => void;
  readonly #server: Server;
  settings!: StoreSettings;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(): Promise<FakeStore> {
    const store = new FakeStore();
    await new Promise<void>((done) => store.#server.listen(0, "127.0.0.1", done));
    const { port } = store.#server.address() as AddressInfo;
    const login = { user: "app-site", password: "password-of-site" };
    store.settings = { endpoint: new URL(`http://127.0.0.1:${port}`), region: "us-east-1", bucket: "files", ...login };
    return store;
  }

  put(key: string, content: string | Buffer, type: string): void {
    this.objects.set(key, { content: Buffer.from(content), type });
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((done) => this.#server.close(() => done()));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url = "", headers } = request;
    this.asked.push({ method, path: url, headers });
    if (this.trouble) return this.trouble(request, response);
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => this.#decide(request, response, Buffer.concat(parts)));
  }

  #decide({ method = "", url = "", headers }: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const refuse = (status: number, code: string): void => {
      response.writeHead(status, { "Content-Type": "application/xml" });
      response.end(method === "HEAD" ? undefined : `<Error><Code>${code}</Code></Error>`);
    };
    if (!this.#isSigned(method, url, headers, body)) return refuse(403, "SignatureDoesNotMatch");
    const [, bucket, ...rest] = url.split("/").map(decodeURIComponent);
    if (bucket !== this.settings.bucket) return refuse(404, "NoSuchBucket");
    const key = rest.join("/");
    if (method === "PUT") {
      this.put(key, body, headers["content-type"] ?? "");
      return void response.writeHead(200).end();
    }
    const found = this.objects.get(key);
    if (!found) return refuse(404, "NoSuchKey");
    const { content, type } = found;
    const etag = etagOf(content);
    if (headers["if-match"] && headers["if-match"] !== etag) return refuse(412, "PreconditionFailed");
    const since = headers["if-unmodified-since"];
    if (since && Date.parse(MODIFIED) > Date.parse(since)) return refuse(412, "PreconditionFailed");
    const own = { "Content-Type": type, ETag: etag, "Last-Modified": MODIFIED, "Accept-Ranges": "bytes" };
    if (headers["if-none-match"] === etag) return void response.writeHead(304, own).end();
    const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? "") ?? [];
    if (from === undefined) {
      response.writeHead(200, { ...own, "Content-Length": content.length });
      return void response.end(method === "HEAD" ? undefined : content);
    }
    const first = from === "" ? content.length - Number(to) : Number(from);
    const last = from === "" || to === "" ? content.length - 1 : Math.min(Number(to), content.length - 1);
    if (first >= content.length || first > last) return refuse(416, "InvalidRange");
    const range = `bytes ${first}-${last}/${content.length}`;
    response.writeHead(206, { ...own, "Content-Range": range, "Content-Length": last - first + 1 });
    response.end(content.subarray(first, last + 1));
  }

  /** By the words of the standard as the site's own code has them, which another test holds against an example of its makers. */
  #isSigned(method: string, path: string, headers: IncomingMessage["headers"], body: Buffer): boolean {
    const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? "")?.[1]?.split(";") ?? [];
    const given = Object.fromEntries(names.map((name) => [name, String(headers[name])]));
    const hash = createHash("sha256").update(body).digest("hex");
    const time = String(headers["x-amz-date"]).replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5");
    const { authorization } = signed(this.settings, { method, path, headers: given, hash }, new Date(time));
    return authorization === headers.authorization && headers["x-amz-content-sha256"] === hash;
  }
}

export const etagOf = (content: Buffer): string => `"${createHash("md5").update(content).digest("hex")}"`;
