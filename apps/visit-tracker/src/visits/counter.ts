import Redis from "ioredis";
import { faultOf } from "./fault";
import { log } from "./log";
import type { RedisSettings } from "./settings";

const KEY = "visit-tracker:visits";
const COMMAND_MS = 1500;

/**
 * The count, or why there is none in words fit for a visitor. Not an exception: Next.js loads this class once per
 * bundle, so that `instanceof` would depend on which bundle threw.
 */
export type Answer = { visits: number } | { fault: string };

/**
 * The count in Redis. A command is answered or has failed within 1.5 s whatever the network does: nothing waits in a
 * queue for a connection, and a connection that falls silent is dropped and made anew.
 */
export class VisitCounter {
  readonly #redis: Redis;
  readonly #address: string;
  /** Why there is no connection now; nothing while there is one. */
  #fault: string | undefined = "not connected to Redis yet";

  constructor(settings: RedisSettings) {
    const { host, port, username, password, tls, ca } = settings;
    this.#address = `${host}:${port}`;
    this.#redis = new Redis({
      host,
      port,
      username,
      password,
      ...(tls && { tls: { servername: host, ...(ca && { ca }) } }),
      connectionName: "visit-tracker",
      connectTimeout: COMMAND_MS,
      commandTimeout: COMMAND_MS,
      socketTimeout: COMMAND_MS,
      enableOfflineQueue: false,
      // A repeated INCR would count one visit twice.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(100 * attempt, 1000),
      // Both need rights that a user made for this service alone does not have.
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    this.#redis.on("ready", () => this.#connected());
    this.#redis.on("error", (error) => this.#disconnected(faultOf(error)));
    this.#redis.on("close", () => this.#disconnected(this.#fault ?? "Redis closed the connection"));
  }

  visits(): Promise<Answer> {
    return this.#count(() => this.#redis.get(KEY));
  }

  /** Counts one visit and gives the count with it. */
  visit(): Promise<Answer> {
    return this.#count(() => this.#redis.incr(KEY));
  }

  /** Why Redis cannot be used now, or nothing. */
  async fault(withinMs: number): Promise<string | undefined> {
    const late = new Promise<string>((resolve) => {
      setTimeout(() => resolve("Redis does not answer in time"), withinMs).unref();
    });
    const answered = this.#redis.ping().then(
      () => undefined,
      (error: unknown) => this.#faultBehind(error),
    );
    return Promise.race([answered, late]);
  }

  close(): void {
    this.#redis.removeAllListeners("close");
    this.#redis.disconnect();
  }

  async #count(command: () => Promise<string | number | null>): Promise<Answer> {
    try {
      return { visits: Number((await command()) ?? 0) };
    } catch (error) {
      return { fault: this.#faultBehind(error) };
    }
  }

  /** Without a connection every command fails alike; what broke the connection says more. */
  #faultBehind(error: unknown): string {
    return this.#fault ?? faultOf(error);
  }

  #connected(): void {
    this.#fault = undefined;
    log("info", `connected to Redis at ${this.#address}`);
  }

  /** Reconnecting goes on for as long as it takes, so only what is new goes to the log. */
  #disconnected(fault: string): void {
    if (fault !== this.#fault) log("error", `no connection to Redis at ${this.#address}: ${fault}`);
    this.#fault = fault;
  }
}
