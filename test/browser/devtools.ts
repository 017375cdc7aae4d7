import type { Readable, Writable } from "node:stream";

const ANSWER_MS = 60_000;

/** Splits what comes out of the pipe into messages: JSON, each ended by a zero byte. */
export class Messages {
  private rest = Buffer.alloc(0);

  take(chunk: Buffer): unknown[] {
    const messages: unknown[] = [];
    this.rest = Buffer.concat([this.rest, chunk]);
    for (let end = this.rest.indexOf(0); end >= 0; end = this.rest.indexOf(0)) {
      messages.push(JSON.parse(this.rest.subarray(0, end).toString("utf8")));
      this.rest = this.rest.subarray(end + 1);
    }
    return messages;
  }
}

/** A command of the DevTools protocol and its parameters, to one page. */
export type Send = <T = unknown>(method: string, params?: object) => Promise<T>;

export interface Event {
  readonly method: string;
  readonly params: unknown;
}

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Waiting {
  readonly done: (message: Message) => void;
  readonly fail: (error: Error) => void;
}

/** The DevTools protocol over two pipes: nothing listens on the network. */
export class DevTools {
  private last = 0;
  private ended: Error | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Map<string, (event: Event) => void>();

  constructor(
    private readonly to: Writable,
    from: Readable,
  ) {
    const messages = new Messages();
    from.on("data", (chunk: Buffer) => {
      for (const message of messages.take(chunk)) this.receive(message as Message);
    });
    // Said by the process's end, with its reason.
    to.on("error", () => undefined);
  }

  async send<T = unknown>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    if (this.ended) throw this.ended;
    const id = ++this.last;
    const { result, error } = await new Promise<Message>((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`${method}: no answer in ${ANSWER_MS / 1000} s`)), ANSWER_MS);
      const settled = (): void => {
        clearTimeout(timer);
        this.waiting.delete(id);
      };
      this.waiting.set(id, {
        done: (message) => {
          settled();
          done(message);
        },
        fail: (reason) => {
          settled();
          fail(reason);
        },
      });
      this.to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  /** What happens in the page of that session. */
  hear(session: string, listener: (event: Event) => void): void {
    this.listeners.set(session, listener);
  }

  /** Nobody answers any more. */
  end(reason: Error): void {
    this.ended = reason;
    for (const { fail } of [...this.waiting.values()]) fail(reason);
  }

  private receive({ id, sessionId, method, params, result, error }: Message): void {
    if (id !== undefined) this.waiting.get(id)?.done({ result, error });
    else if (method) this.listeners.get(sessionId ?? "")?.({ method, params });
  }
}
