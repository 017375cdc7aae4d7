import * as fs from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { sha256 } from "../../../components/lib/registryClient";
import { type Pair, certificate } from "../../../sandbox/pki";

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";

interface Stored {
  readonly type: string;
  readonly bytes: Buffer;
}

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

/** As much of a registry's HTTP API v2 as a copy needs, over TLS on loopback, as strict about digests as a real one. */
export class FakeRegistry {
  readonly blobs = new Map<string, Buffer>();
  /** By `repository@digest` and `repository:tag`. */
  readonly manifests = new Map<string, Stored>();
  /** Method and path of what was asked with a login. */
  readonly log: string[] = [];
  /** Answers in place of the registry, where it says so. */
  fault: Fault = () => false;
  scheme = "Basic";
  private readonly server: https.Server;

  private constructor(
    pair: Pair,
    private readonly passwords: ReadonlySet<string>,
  ) {
    const [key, cert] = [fs.readFileSync(pair.key), fs.readFileSync(pair.cert)];
    this.server = https.createServer({ key, cert }, (request, response) => void this.handle(request, response));
  }

  static async start(dir: string, ca: Pair, passwords: readonly string[]): Promise<FakeRegistry> {
    const pair = certificate(dir, "registry", ca, { commonName: "registry", names: ["IP:127.0.0.1"] });
    const registry = new FakeRegistry(pair, new Set(passwords));
    await new Promise<void>((done) => registry.server.listen(0, "127.0.0.1", done));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(() => done()));
  }

  /** Puts an image there, as if it had been pushed; gives its digest. */
  addImage(repository: string, tag: string, contents: readonly string[], foreign: readonly Layer[] = []): string {
    const [config, ...layers] = [`config of ${tag}`, ...contents].map((content) => this.addBlob(content));
    const body = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [...layers, ...foreign] };
    // Not as JSON.stringify would write it again: a copy must not rewrite it.
    return this.addManifest(repository, tag, OCI_MANIFEST, JSON.stringify(body, null, 3));
  }

  addIndex(repository: string, tag: string, children: readonly string[]): string {
    const manifests = children.map((digest) => {
      const { type: mediaType, bytes } = this.manifests.get(`${repository}@${digest}`) as Stored;
      return { mediaType, digest, size: bytes.length };
    });
    return this.addManifest(repository, tag, OCI_INDEX, JSON.stringify({ schemaVersion: 2, manifests }));
  }

  private addBlob(content: string): Layer {
    const bytes = Buffer.from(content);
    this.blobs.set(sha256(bytes), bytes);
    return { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: sha256(bytes), size: bytes.length };
  }

  private addManifest(repository: string, tag: string, type: string, text: string): string {
    const stored = { type, bytes: Buffer.from(text) };
    const digest = sha256(stored.bytes);
    for (const key of [`${repository}@${digest}`, `${repository}:${tag}`]) this.manifests.set(key, stored);
    return digest;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const [, password = ""] = Buffer.from((request.headers.authorization ?? "").slice("Basic ".length), "base64")
      .toString()
      .split(":");
    if (!this.passwords.has(password)) {
      response.writeHead(401, { "www-authenticate": `${this.scheme} realm="fake"` }).end();
      return;
    }
    this.log.push(`${method} ${url}`);
    if (this.fault(request, response)) return;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    this.answer(method, new URL(url, "https://fake"), request, Buffer.concat(chunks), response);
  }

  private answer(method: string, url: URL, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const [, repository = "", kind = "", reference = ""] =
      /^\/v2\/(.+)\/(manifests|blobs)\/(.*)$/.exec(url.pathname) ?? [];
    const send = (status: number, headers: Record<string, string> = {}, content?: Buffer): void =>
      void response.writeHead(status, headers).end(method === "HEAD" ? undefined : content);
    if (kind === "blobs" && method === "POST") {
      return send(202, { location: `https://known.by.another.name/v2/${repository}/blobs/uploads/1?state=x` });
    }
    if (kind === "blobs" && method === "PUT") {
      const digest = url.searchParams.get("digest") ?? "";
      if (sha256(body) !== digest) return send(400, {}, Buffer.from("DIGEST_INVALID"));
      this.blobs.set(digest, body);
      return send(201);
    }
    if (kind === "blobs") {
      const blob = this.blobs.get(reference);
      return blob ? send(200, { "content-length": String(blob.length) }, blob) : send(404);
    }
    if (method === "PUT") {
      const stored = { type: request.headers["content-type"] ?? "", bytes: body };
      if (!this.isWhole(repository, stored)) return send(400, {}, Buffer.from("MANIFEST_BLOB_UNKNOWN"));
      const digest = sha256(body);
      this.manifests.set(`${repository}@${digest}`, stored);
      if (reference !== digest) this.manifests.set(`${repository}:${reference}`, stored);
      return send(201, { "docker-content-digest": digest });
    }
    const found = this.manifests.get(`${repository}${reference.startsWith("sha256:") ? "@" : ":"}${reference}`);
    if (!found) return send(404);
    send(200, { "content-type": found.type, "docker-content-digest": sha256(found.bytes) }, found.bytes);
  }

  /** A registry takes no manifest before what it names. */
  private isWhole(repository: string, { type, bytes }: Stored): boolean {
    const body = JSON.parse(bytes.toString()) as { manifests?: Layer[]; config?: Layer; layers?: Layer[] };
    if (type === OCI_INDEX)
      return (body.manifests ?? []).every((each) => this.manifests.has(`${repository}@${each.digest}`));
    return [body.config, ...(body.layers ?? [])].every(
      (each) => each && (each.mediaType.includes("foreign") || this.blobs.has(each.digest)),
    );
  }
}
