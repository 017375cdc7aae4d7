import { setTimeout as sleep } from "node:timers/promises";
import { Limit } from "../limit";
import { log } from "../log";
import { type Claimed, type Gone, type Looked, type NewEntry, type Opened, type Store, Unavailable } from "../store";
import { type Client, COMMAND_MS, connect } from "./connection";
import { faultOf, isLasting } from "./fault";
import { Renewal, dismiss } from "./renewal";
import { CLAIM, CREATE, DESTROY, FORGET, LOOK, OPEN, REPLICATION } from "./scripts";
import type { RedisSettings } from "./settings";

/** All that one call may take; a client that is told to come again is better off than one that waits. */
const CALL_MS = 3000;
const RETRY_MS = 100;
/** For a replica's word, which usually takes a millisecond. */
const CONFIRM_MS = 500;
/** A connection that waits for a replica does nothing else meanwhile: few at a time, so that a lost replica costs little. */
const CONFIRMED_AT_ONCE = 4;
const CONFIRMED_QUEUED = 500;
/** The same as `min-replicas-max-lag`: who was not heard from for longer is not waited for. */
const MAX_LAG_S = 10;

export interface RedisStoreSettings extends RedisSettings {
  /** How many replicas must have what is promised. @default one, where at least one follows */
  replicas?: number;
}

/** Secrets in Redis, in any of its modes. What is promised has reached a replica before it is said. */
export class RedisStore implements Store {
  #client: Client;
  /** Of its own, so that nothing else has to wait for replicas. */
  #confirming: Client;
  readonly #renewals: readonly Renewal[];
  readonly #confirmations = new Limit(CONFIRMED_AT_ONCE, CONFIRMED_QUEUED);
  readonly #address: string;
  /** Why there is no connection now; nothing while there is one. */
  #fault: string | undefined = "not connected to Redis yet";
  /** What the log has been told since there was a connection. */
  readonly #told = new Set<string>();

  constructor(private readonly settings: RedisStoreSettings) {
    this.#address = `${settings.host}:${settings.port}`;
    this.#client = this.#listening(connect(settings));
    this.#confirming = connect(settings);
    this.#confirming.on("error", () => undefined);
    this.#renewals = [
      new Renewal(settings, (next) => {
        const former = this.#client;
        this.#client = this.#listening(next);
        log("info", "Redis has another password, and takes it");
        this.#connected();
        dismiss(former);
      }),
      new Renewal(settings, (next) => {
        const former = this.#confirming;
        this.#confirming = next;
        dismiss(former);
      }),
    ];
  }

  async create(name: string, { proof, sealed, ttlMs, locked, expires }: NewEntry): Promise<void> {
    await this.#promised(CREATE, name, [proof, sealed, ttlMs, locked ? 1 : 0, expires]);
  }

  async look(name: string): Promise<Looked> {
    const [state, locked, expires] = await this.#run(LOOK, name, []);
    if (state === "waiting") return { state, locked: locked === "1", expires: Number(expires) };
    return gone(state, locked);
  }

  async open(name: string, by: { proof: string; reader: string; guess: string; at: number }): Promise<Opened> {
    const [state, sealed = "", left] = await this.#run(OPEN, name, [by.proof, by.reader, by.guess, by.at]);
    if (state === "locked") return { state };
    if (state === "sealed") return { state, sealed, guessesLeft: Number(left) };
    return gone(state, sealed);
  }

  async claim(name: string, by: { reader: string; at: number }): Promise<Claimed> {
    const [state, at] = await this.#promised(CLAIM, name, [by.reader, by.at]);
    return state === "claimed" ? { state } : gone(state, at);
  }

  async destroy(name: string, at: number): Promise<void> {
    await this.#promised(DESTROY, name, [at]);
  }

  async forget(name: string, reader: string): Promise<void> {
    await this.#run(FORGET, name, [reader]);
  }

  async fault(withinMs: number): Promise<string | undefined> {
    return within(withinMs, this.#client.ping()).then(
      () => undefined,
      (error: unknown) => this.#fault ?? faultOf(error),
    );
  }

  close(): void {
    for (const renewal of this.#renewals) renewal.stop();
    this.#client.removeAllListeners("close");
    this.#client.disconnect();
    this.#confirming.disconnect();
  }

  #listening(client: Client): Client {
    client.on("ready", () => this.#connected());
    client.on("error", (error: unknown) => this.#disconnected(faultOf(error)));
    client.on("close", () => this.#disconnected(this.#fault ?? "Redis closed the connection"));
    return client;
  }

  #run(script: string, name: string, args: (string | number)[]): Promise<string[]> {
    return this.#call(() => this.#client.eval(script, 2, ...keysOf(name), ...args));
  }

  /** Answers once as many replicas as wanted have it. */
  #promised(script: string, name: string, args: (string | number)[]): Promise<string[]> {
    const end = Date.now() + CALL_MS;
    const attempt = (): Promise<unknown> =>
      this.#confirmations.run(() => {
        if (Date.now() > end) throw new Error("timed out in the queue");
        return within(COMMAND_MS, this.#confirmed(script, name, args));
      });
    return this.#call(attempt);
  }

  async #confirmed(script: string, name: string, args: (string | number)[]): Promise<unknown> {
    const command = [script, 2, ...keysOf(name), ...args] as const;
    const wanted = this.settings.replicas ?? Math.min(1, await this.#following(name));
    if (wanted === 0) return this.#confirming.eval(...command);
    // In one go, because WAIT speaks of its own connection only.
    const answers = await this.#confirming
      .pipeline()
      .eval(...command)
      .wait(wanted, CONFIRM_MS)
      .exec();
    const [[error, result] = [], [waitError, reached] = []] = answers ?? [];
    if (error ?? waitError) throw error ?? waitError;
    const confirmed = Number(reached ?? 0);
    if (confirmed < wanted) throw new TooFew(confirmed, wanted);
    return result;
  }

  async #following(name: string): Promise<number> {
    const info = await this.#confirming.eval(REPLICATION, 1, keysOf(name)[0]);
    const replicas = String(info).matchAll(/^slave\d+:.*state=online.*lag=(\d+)/gm);
    return [...replicas].filter(([, lag]) => Number(lag) <= MAX_LAG_S).length;
  }

  /** Every script may run twice without harm, so that even what may have been carried out is tried again, for a while. */
  async #call(attempt: () => Promise<unknown>): Promise<string[]> {
    const end = Date.now() + CALL_MS;
    let failure: unknown;
    const attempts = async (): Promise<string[]> => {
      for (;;) {
        try {
          return (await attempt()) as string[];
        } catch (error) {
          failure = error;
          if (error instanceof Unavailable || isLasting(error) || Date.now() + RETRY_MS > end) throw error;
          await sleep(RETRY_MS);
        }
      }
    };
    return within(CALL_MS, attempts()).catch((late: unknown) => {
      throw this.#unavailable(failure ?? late);
    });
  }

  /** Without a connection everything fails alike; what broke the connection says more. */
  #unavailable(error: unknown): Unavailable {
    if (error instanceof Unavailable) return error;
    return new Unavailable(error instanceof TooFew ? error.message : (this.#fault ?? faultOf(error)));
  }

  #connected(): void {
    this.#fault = undefined;
    this.#told.clear();
    log("info", `connected to Redis at ${this.#address}`);
  }

  /** Connecting goes on for as long as it takes, so only what is new goes to the log. */
  #disconnected(fault: string): void {
    if (!this.#told.has(fault)) log("error", `no connection to Redis at ${this.#address}: ${fault}`);
    this.#told.add(fault);
    this.#fault = fault;
  }
}

class TooFew extends Error {
  constructor(reached: number, wanted: number) {
    super(`${reached} of ${wanted} replicas of Redis have it`);
  }
}

/** Both in one slot of a cluster. */
const keysOf = (name: string): [string, string] => [
  `one-time-secret:{${name}}:sealed`,
  `one-time-secret:{${name}}:mark`,
];

function gone(state: string | undefined, at: string | undefined): Gone {
  if (state === "expired" || state === "used" || state === "destroyed") return { state, at: Number(at) };
  if (state === "unknown") return { state };
  throw new Error(`Redis holds a secret in the state "${state}"`);
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("timed out")), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
