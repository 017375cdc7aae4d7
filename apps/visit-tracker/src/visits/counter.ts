import { setTimeout as sleep } from "node:timers/promises";
import { COMMAND_MS, connect } from "./connection";
import { faultOf, neverRan } from "./fault";
import { log } from "./log";
import { Renewal, dismiss } from "./renewal";
import type { RedisSettings } from "./settings";

const KEY = "visit-tracker:visits";
const RETRY_MS = 100;

/**
 * The count, or why there is none in words fit for a visitor. Not an exception: Next.js loads this class once per
 * bundle, so that `instanceof` would depend on which bundle threw.
 */
export type Answer = { visits: number } | { fault: string };

/**
 * The count in Redis. A command is answered or has failed within 1.5 s whatever the network does. What Redis certainly did
 * not carry out, as while another server takes over, is tried again within that time.
 */
export class VisitCounter {
  #redis: ReturnType<typeof connect>;
  readonly #renewal: Renewal;
  readonly #address: string;
  /** Why there is no connection now; nothing while there is one. */
  #fault: string | undefined = "not connected to Redis yet";
  #wasConnected = false;

  constructor(settings: RedisSettings) {
    this.#address = `${settings.host}:${settings.port}`;
    this.#redis = this.#listening(connect(settings));
    this.#renewal = new Renewal(settings, (next) => this.#succeed(next));
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
    this.#renewal.stop();
    this.#redis.removeAllListeners("close");
    this.#redis.disconnect();
  }

  #listening(client: ReturnType<typeof connect>): ReturnType<typeof connect> {
    client.on("ready", () => this.#connected());
    client.on("error", (error) => this.#disconnected(faultOf(error)));
    client.on("close", () => this.#disconnected(this.#fault ?? "Redis closed the connection"));
    return client;
  }

  #succeed(next: ReturnType<typeof connect>): void {
    const former = this.#redis;
    this.#redis = this.#listening(next);
    log("info", "Redis has another password, and takes it");
    this.#connected();
    dismiss(former);
  }

  async #count(command: () => Promise<string | number | null>): Promise<Answer> {
    const end = Date.now() + COMMAND_MS;
    const late = sleep(COMMAND_MS, undefined, { ref: false }).then(() => ({ fault: "Redis does not answer in time" }));
    const attempts = async (): Promise<Answer> => {
      for (;;) {
        try {
          return { visits: Number((await command()) ?? 0) };
        } catch (error) {
          const again = this.#wasConnected && neverRan(error) && Date.now() + RETRY_MS < end;
          if (!again) return { fault: this.#faultBehind(error) };
          await sleep(RETRY_MS);
        }
      }
    };
    return Promise.race([attempts(), late]);
  }

  /** Without a connection every command fails alike; what broke the connection says more. */
  #faultBehind(error: unknown): string {
    return this.#fault ?? faultOf(error);
  }

  #connected(): void {
    this.#fault = undefined;
    this.#wasConnected = true;
    log("info", `connected to Redis at ${this.#address}`);
  }

  /** Reconnecting goes on for as long as it takes, so only what is new goes to the log. */
  #disconnected(fault: string): void {
    if (fault !== this.#fault) log("error", `no connection to Redis at ${this.#address}: ${fault}`);
    this.#fault = fault;
  }
}
