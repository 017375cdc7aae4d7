import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, COMMAND_MS, connect } from "./connection";
import type { RedisSettings } from "./settings";

const LOOK_MS = 3000;

/**
 * Looks whether the password's file holds another one by now. A client that has it is made beside the present one, and handed
 * over once Redis has let it in; until then nothing changes for anybody.
 */
export class Renewal {
  readonly #timer: NodeJS.Timeout | undefined;
  #known: string | undefined;
  #looking = false;

  constructor(
    private readonly settings: RedisSettings,
    private readonly handOver: (client: Client) => void,
    everyMs = LOOK_MS,
  ) {
    this.#known = settings.password;
    if (settings.passwordFile) this.#timer = setInterval(() => void this.#look(), everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const password = this.#read();
    if (!password || password === this.#known || this.#looking) return;
    this.#looking = true;
    const client = connect({ ...this.settings, password });
    try {
      await answered(client);
      this.#known = password;
      this.handOver(client);
    } catch {
      client.disconnect();
    } finally {
      this.#looking = false;
    }
  }

  #read(): string | undefined {
    try {
      return readFileSync(this.settings.passwordFile ?? "", "utf8").trim();
    } catch {
      // It is put in another's place: the next look finds it.
      return undefined;
    }
  }
}

/** Lets a client that was replaced end what it began. */
export function dismiss(client: Client): void {
  client.removeAllListeners();
  client.on("error", () => undefined);
  setTimeout(() => client.disconnect(), 2 * COMMAND_MS).unref();
}

async function answered(client: Client): Promise<void> {
  client.on("error", () => undefined);
  const ready = new Promise<void>((done) => client.once("ready", done));
  const late = sleep(2 * COMMAND_MS, undefined, { ref: false }).then(() => Promise.reject(new Error("no answer")));
  await Promise.race([ready.then(() => client.ping()), late]);
}
