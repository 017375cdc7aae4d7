import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { defaultCacheRoot } from "../cache";
import { OciStore } from "./store";

export interface ServeOptions {
  /** The OCI store: `blobs` and `refs` lie in it. */
  root: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
}

export interface ImageServer {
  url: string;
  port: number;
  close: () => Promise<void>;
}

const ROUTE = /^\/v2\/((?:[a-z0-9]+(?:[._-]+[a-z0-9]+)*\/)*[a-z0-9]+(?:[._-]+[a-z0-9]+)*)\/(manifests|blobs)\/([^/]+)$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Serves the images of a store to container runtimes, read only and over plain http: it is meant for loopback and the
 * sandbox's own network. Pulling is all it can do.
 */
export async function serveImages({ root, host, port }: ServeOptions): Promise<ImageServer> {
  const store = new OciStore(root);
  const server = createServer((request, response) => {
    answer(store, request, response).catch((cause: unknown) => {
      if (response.headersSent) response.destroy();
      else refuse(response, 500, "UNKNOWN", `the image store at ${root} cannot be read: ${(cause as Error).message}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return { url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`, port: bound, close: () => close(server) };
}

async function answer(store: OciStore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  response.setHeader("Docker-Distribution-Api-Version", "registry/2.0");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return refuse(response, 405, "UNSUPPORTED", `${request.method} is not served here: this registry is read only`);
  }
  if (path === "/v2/" || path === "/v2") return json(response, 200, {});
  const [, repository, kind, reference] = decode(path).match(ROUTE) ?? [];
  if (repository === undefined || reference === undefined) {
    return refuse(response, 404, "NAME_UNKNOWN", `nothing is served at ${path}`);
  }
  if (kind === "blobs") return sendBlob(store, reference, request, response);
  return sendManifest(store, repository, reference, response);
}

async function sendManifest(
  store: OciStore,
  repository: string,
  reference: string,
  response: ServerResponse,
): Promise<void> {
  const digest = DIGEST.test(reference) ? reference : await taggedDigest(store, repository, reference);
  const bytes = digest === undefined ? undefined : await readFile(store.blobPath(digest)).catch(() => undefined);
  const mediaType = bytes && manifestType(bytes);
  if (digest === undefined || bytes === undefined || mediaType === undefined) {
    return refuse(response, 404, "MANIFEST_UNKNOWN", `no image ${repository} with ${reference} is in this store`);
  }
  response.writeHead(200, {
    "Content-Type": mediaType,
    "Content-Length": bytes.length,
    "Docker-Content-Digest": digest,
    ETag: `"${digest}"`,
  });
  response.end(bytes);
}

async function taggedDigest(store: OciStore, repository: string, tag: string): Promise<string | undefined> {
  return TAG.test(tag) ? (await store.readRef(repository, tag))?.digest : undefined;
}

/** The media type a manifest states about itself; layers and configs, which lie in the same place, state none. */
function manifestType(bytes: Buffer): string | undefined {
  if (bytes.length > 4 << 20 || bytes[0] !== 0x7b) return undefined;
  try {
    return (JSON.parse(bytes.toString()) as { mediaType?: string }).mediaType;
  } catch {
    return undefined;
  }
}

async function sendBlob(
  store: OciStore,
  digest: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!DIGEST.test(digest)) return refuse(response, 400, "DIGEST_INVALID", `"${digest}" is not a sha256 digest`);
  const file = store.blobPath(digest);
  const found = await stat(file).catch(() => undefined);
  if (!found) return refuse(response, 404, "BLOB_UNKNOWN", `no blob ${digest} is in this store`);
  const range = requestedRange(request.headers.range, found.size);
  if (range === "outside") {
    response.setHeader("Content-Range", `bytes */${found.size}`);
    return refuse(
      response,
      416,
      "RANGE_INVALID",
      `${request.headers.range} lies outside the ${found.size} bytes of ${digest}`,
    );
  }
  const { start, end } = range ?? { start: 0, end: found.size - 1 };
  response.writeHead(range ? 206 : 200, {
    "Content-Type": "application/octet-stream",
    "Content-Length": end - start + 1,
    "Accept-Ranges": "bytes",
    "Docker-Content-Digest": digest,
    ETag: `"${digest}"`,
    ...(range && { "Content-Range": `bytes ${start}-${end}/${found.size}` }),
  });
  if (request.method === "HEAD" || found.size === 0) {
    response.end();
    return;
  }
  const stream = createReadStream(file, { start, end });
  stream.once("error", () => response.destroy());
  response.once("close", () => stream.destroy());
  stream.pipe(response);
}

/** One byte range as RFC 9110 writes it; several at once, which no runtime asks for, are answered with the whole. */
export function requestedRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | "outside" | undefined {
  const [, from = "", to = ""] = header?.match(/^bytes=(\d*)-(\d*)$/) ?? [];
  if (from === "" && to === "") return undefined;
  const start = from === "" ? Math.max(size - Number(to), 0) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (start >= size || (from === "" && Number(to) === 0)) return "outside";
  return end < start ? undefined : { start, end };
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  json(response, status, { errors: [{ code, message, detail: {} }] });
}

function json(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

/** Clients may escape the colon of a digest. */
function decode(path: string): string {
  return path.replace(/%3a/gi, ":");
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      root: { type: "string", default: join(defaultCacheRoot(), "oci") },
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "5000" },
    },
  });
  const server = await serveImages({ root: values.root, host: values.host, port: Number(values.port) });
  console.log(`images of ${values.root} at ${server.url}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void server.close());
}

if (require.main === module) {
  main().catch((cause: Error) => {
    console.error(cause.message);
    process.exitCode = 1;
  });
}
