import { createHash } from "node:crypto";
import * as fs from "node:fs";
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import * as https from "node:https";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

export interface Login {
  readonly username: string;
  readonly password: string;
}

export interface Manifest {
  readonly type: string;
  readonly bytes: Buffer;
}

export interface Blob {
  readonly digest: string;
  readonly size: number;
}

export interface Patience {
  /** How long a request may stand still. */
  readonly timeoutMs: number;
  /** For how long a registry that cannot be reached, or says that it is busy, is asked again. */
  readonly retryMs: number;
}

const PATIENCE: Patience = { timeoutMs: 30_000, retryMs: 120_000 };

export const INDEX_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
const MANIFEST_TYPES = [
  ...INDEX_TYPES,
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

/** Worth another try: nobody answers, or who answers is busy. */
class PassingFault extends Error {}

const PASSING_CODES = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"];
const PASSING_STATUS = [429, 502, 503, 504];

export const sha256 = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Node by itself knows the system's authorities only; this variable names the platform's too. */
const authorities = (): Buffer | undefined =>
  process.env.SSL_CERT_FILE ? fs.readFileSync(process.env.SSL_CERT_FILE) : undefined;

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** One registry as one login sees it, over the HTTP API v2. */
export class RegistryClient {
  private readonly authorization: string;
  private readonly agent = new https.Agent({ ca: authorities(), keepAlive: true, maxSockets: 4 });

  constructor(
    readonly host: string,
    { username, password }: Login,
    private readonly patience: Patience = PATIENCE,
  ) {
    this.authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  }

  /** The digest behind a tag or digest; undefined where the registry has no such image. */
  async digestOf(repository: string, reference: string): Promise<string | undefined> {
    const path = manifestPath(repository, reference);
    const { status, headers } = await this.ask("HEAD", path, { accept: MANIFEST_TYPES.join(", ") });
    return status === 200 ? String(headers["docker-content-digest"]) : undefined;
  }

  /** A manifest byte for byte, as its digest proves. */
  async manifest(repository: string, digest: string): Promise<Manifest> {
    const path = manifestPath(repository, digest);
    const { status, headers, body } = await this.ask("GET", path, { accept: MANIFEST_TYPES.join(", ") });
    if (status !== 200) throw new Error(`the registry ${this.host} has no ${repository}@${digest}`);
    if (sha256(body) !== digest) throw this.damaged(sha256(body), digest);
    return { type: headers["content-type"] ?? "", bytes: body };
  }

  async putManifest(repository: string, reference: string, { type, bytes }: Manifest): Promise<void> {
    const { headers } = await this.ask("PUT", manifestPath(repository, reference), { "content-type": type }, bytes);
    const digest = headers["docker-content-digest"];
    if (digest !== sha256(bytes))
      throw new Error(`the registry ${this.host} took ${repository}@${sha256(bytes)} for ${String(digest)}`);
  }

  async hasBlob(repository: string, digest: string): Promise<boolean> {
    return (await this.ask("HEAD", blobPath(repository, digest))).status === 200;
  }

  /** Streams a blob from another registry to this one; after a broken connection from its start. */
  copyBlob(source: RegistryClient, repository: string, { digest, size }: Blob): Promise<void> {
    return patiently(this.patience.retryMs, async () => {
      const { headers } = await this.once("POST", `/v2/${repository}/blobs/uploads/`, { "content-length": 0 });
      // The registry may know itself by another name: of what it answers, only the path counts.
      const upload = new URL(headers.location ?? "", `https://${this.host}`);
      upload.searchParams.set("digest", digest);
      const path = upload.pathname + upload.search;
      const content = await source.open("GET", blobPath(repository, digest));
      if (content.statusCode !== 200) {
        content.destroy();
        throw new Error(
          `the registry ${source.host} answers ${content.statusCode} for the layer ${repository}@${digest}`,
        );
      }
      const type = "application/octet-stream";
      const request = this.request("PUT", path, { "content-type": type, "content-length": size });
      try {
        const taken = this.answer(request, `PUT ${path}`).then((response) => this.read(response, "PUT", path));
        await Promise.all([taken, pipeline(content, (chunks) => source.verified(chunks, digest), request)]);
      } catch (error) {
        request.destroy();
        throw this.explained(error as Error);
      }
    });
  }

  private async *verified(chunks: AsyncIterable<Buffer>, digest: string): AsyncGenerator<Buffer> {
    const hash = createHash("sha256");
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
    const found = `sha256:${hash.digest("hex")}`;
    if (found !== digest) throw this.damaged(found, digest);
  }

  private ask(method: string, path: string, headers: OutgoingHttpHeaders = {}, body?: Buffer): Promise<Answer> {
    return patiently(this.patience.retryMs, () => this.once(method, path, headers, body));
  }

  private async once(method: string, path: string, headers: OutgoingHttpHeaders, body?: Buffer): Promise<Answer> {
    const response = await this.open(
      method,
      path,
      body ? { ...headers, "content-length": body.length } : headers,
      body,
    );
    return this.read(response, method, path);
  }

  private open(method: string, path: string, headers = {}, body?: Buffer): Promise<IncomingMessage> {
    const request = this.request(method, path, headers);
    const answered = this.answer(request, `${method} ${path}`);
    request.end(body);
    return answered;
  }

  private request(method: string, path: string, headers: OutgoingHttpHeaders): ClientRequest {
    const { agent, authorization } = this;
    const timeout = this.patience.timeoutMs;
    return https.request(`https://${this.host}${path}`, {
      method,
      agent,
      timeout,
      headers: { ...headers, authorization },
    });
  }

  private answer(request: ClientRequest, what: string): Promise<IncomingMessage> {
    const seconds = this.patience.timeoutMs / 1000;
    const silent = new PassingFault(`the registry ${this.host} does not answer ${what} within ${seconds} s`);
    return new Promise((done, fail) => {
      request.on("timeout", () => request.destroy(silent));
      request.on("error", (error) => fail(this.explained(error)));
      request.on("response", done);
    });
  }

  private async read(response: IncomingMessage, method: string, path: string): Promise<Answer> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of response) chunks.push(chunk as Buffer);
    } catch (error) {
      throw this.explained(error as Error);
    }
    const status = response.statusCode ?? 0;
    const body = Buffer.concat(chunks);
    if (status < 300 || (status === 404 && method !== "PUT")) return { status, headers: response.headers, body };
    const said = body.toString("utf8", 0, 300).trim();
    const text = `the registry ${this.host} answers ${status} to ${method} ${path}${said && `: ${said}`}`;
    if (PASSING_STATUS.includes(status)) throw new PassingFault(text);
    throw status === 401
      ? new Error(`the registry ${this.host} refuses the login${asksFor(response)}`)
      : new Error(text);
  }

  private explained(error: Error & { code?: string }): Error {
    if (!error.code) return error;
    const reason = error.message || error.code;
    if (/CERT|SIGNATURE|ALTNAME/.test(error.code))
      return new Error(
        `the certificate of the registry ${this.host} is not trusted (${reason}): SSL_CERT_FILE names the authorities, as npm run env prints it`,
      );
    const text = `the registry ${this.host} cannot be reached: ${reason}`;
    return PASSING_CODES.includes(error.code) ? new PassingFault(text) : new Error(text);
  }

  private damaged(found: string, wanted: string): Error {
    return new Error(`the registry ${this.host} sends ${found} for ${wanted}: its volume is damaged`);
  }
}

const manifestPath = (repository: string, reference: string): string => `/v2/${repository}/manifests/${reference}`;
const blobPath = (repository: string, digest: string): string => `/v2/${repository}/blobs/${digest}`;

const asksFor = ({ headers }: IncomingMessage): string => {
  const scheme = headers["www-authenticate"]?.split(" ")[0] ?? "Basic";
  return scheme === "Basic" ? "" : `: it asks for ${scheme}, and only user and password are spoken here`;
};

async function patiently<T>(retryMs: number, work: () => Promise<T>): Promise<T> {
  const end = Date.now() + retryMs;
  for (let pause = 250; ; pause = Math.min(pause * 2, 5000)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PassingFault)) throw error;
      // It did not pass: from here on an error like any other.
      if (Date.now() + pause > end) throw new Error(error.message);
      await sleep(pause);
    }
  }
}
