import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { join } from "node:path";
import { CERTIFICATE_FILES, type StoreSettings } from "./settings";
import { pathOf, signed } from "./signature";

/** It does not answer, or not as a store does. The message is for the log. */
export class Unavailable extends Error {}
/** It does not know this key, or not any more. */
export class Refused extends Unavailable {}

const REFUSALS = ["InvalidAccessKeyId", "SignatureDoesNotMatch"];

const SOCKETS = 64;
/** How long a certificate that was renewed may go unseen. */
const LOOK_AGAIN_MS = 10_000;

export interface Request {
  method: "GET" | "HEAD" | "PUT";
  key: string;
  headers?: Readonly<Record<string, string>>;
  body?: Buffer;
  /** Of the body. */
  hash?: string;
  signal?: AbortSignal;
}

/** The one bucket. Connections are kept, and made anew with a certificate that was renewed. */
export class Store {
  #agent: http.Agent;
  #files: readonly Buffer[] = [];
  #looked = 0;

  constructor(
    private readonly settings: StoreSettings,
    /** To the first byte of an answer. */
    private readonly patienceMs = 10_000,
  ) {
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: SOCKETS });
  }

  /** The answer, whatever its status, once its headers are there. Who gets it reads it to its end, or destroys it. */
  ask({ method, key, headers, body, hash, signal }: Request): Promise<http.IncomingMessage> {
    const { endpoint, bucket } = this.settings;
    const path = pathOf(bucket, key);
    const options = {
      method,
      path,
      headers: {
        ...signed(this.settings, { method, path, headers, hash }),
        ...(body && { "content-length": String(body.length) }),
      },
      agent: this.#current(),
      timeout: this.patienceMs,
      signal,
    };
    return new Promise((done, fail) => {
      const request = (endpoint.protocol === "https:" ? https : http).request(endpoint, options, (response) => {
        response.once("error", () => undefined);
        // From now on it is the pace of whoever takes it.
        request.setTimeout(0);
        done(response);
      });
      request.once("timeout", () => request.destroy(new Error(`no answer within ${this.patienceMs} ms`)));
      request.once("error", (error: NodeJS.ErrnoException) =>
        fail(new Unavailable(`the store does not answer: ${error.code ?? error.message}`)),
      );
      request.end(body);
    });
  }

  /** Resolves if the store lets this key into this bucket: there is no object of that name, and it may know that. */
  async check(signal?: AbortSignal): Promise<void> {
    const response = await this.ask({ method: "GET", key: ".is-the-bucket-there", signal });
    const code = await codeOf(response);
    if (response.statusCode === 200 || code === "NoSuchKey") return;
    const reason = `the store refuses the bucket: ${response.statusCode} ${code}`;
    throw REFUSALS.includes(code) ? new Refused(reason) : new Unavailable(reason);
  }

  close(): void {
    this.#agent.destroy();
  }

  #current(): http.Agent {
    const { certificates } = this.settings;
    if (!certificates || Date.now() - this.#looked < LOOK_AGAIN_MS) return this.#agent;
    this.#looked = Date.now();
    const files = CERTIFICATE_FILES.map((file) => readFileSync(join(certificates, file)));
    if (files.every((file, index) => this.#files[index]?.equals(file))) return this.#agent;
    this.#files = files;
    const [cert, key, ca] = files;
    // What is under way on the former one ends there; it keeps none that are idle for long.
    this.#agent = new https.Agent({ keepAlive: true, maxSockets: SOCKETS, cert, key, ca, timeout: 30_000 });
    return this.#agent;
  }
}

/** The code of an error, which S3 gives as XML. */
export async function codeOf(response: http.IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const part of response) if (text.length < 4096) text += part;
  return /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? "";
}
