import * as crypto from "node:crypto";
import * as http from "node:http";
import type { AddressInfo } from "node:net";

interface ServedFile {
  readonly body: Buffer;
  /** Cuts the connection after so many bytes, this many times. */
  cut?: { after: number; times: number };
  /** Answers a request for a range with the whole file, as some servers do. */
  readonly ignoresRanges?: boolean;
}

/** A publisher on loopback: PLATFORM_DOWNLOAD_ORIGIN maps every official host below it. */
export class FakeOrigin {
  readonly files = new Map<string, ServedFile>();
  /** Every GET, as "/host/path" and the range asked for. */
  readonly asked: { path: string; range: string | undefined }[] = [];
  private readonly server = http.createServer((request, response) => this.answer(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const path = request.url ?? "";
    const file = this.files.get(path);
    if (request.method === "HEAD") return void response.writeHead(file ? 200 : 404).end();
    this.asked.push({ path, range: request.headers.range });
    if (!file) return void response.writeHead(404).end("no such file");
    const start = file.ignoresRanges ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (start > 0 && start >= file.body.length) return void response.writeHead(416).end();
    const rest = file.body.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      "content-length": rest.length,
      ...(start > 0 ? { "content-range": `bytes ${start}-${file.body.length - 1}/${file.body.length}` } : {}),
    });
    if (file.cut && file.cut.times > 0) {
      file.cut.times--;
      response.write(rest.subarray(0, file.cut.after), () => setTimeout(() => response.destroy(), 20));
    } else response.end(rest);
  }
}

export function sha256(body: Buffer): string {
  return crypto.createHash("sha256").update(body).digest("hex");
}
