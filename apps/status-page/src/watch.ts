import { load, save } from "./file";
import { History } from "./history";
import { log } from "./log";
import { probe } from "./probe";
import { type Endpoint, type Settings, keyOf } from "./settings";

export type Watched = Pick<Settings, "endpoints" | "ca" | "intervalMs" | "timeoutMs" | "file">;

/** Asks every endpoint once in an interval, and keeps what came of it. */
export class Watch {
  readonly #histories = new Map<string, History>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #kept: Promise<void> = Promise.resolve();
  #rounds = 0;
  #savedAt = 0;
  #failing = false;

  constructor(readonly settings: Watched) {
    for (const endpoint of settings.endpoints) this.#histories.set(keyOf(endpoint), new History());
  }

  /** Brings back what was kept, and begins. */
  async start(): Promise<void> {
    const { file, intervalMs } = this.settings;
    const kept = file ? await load(file) : new Map<string, History>();
    // What is watched no more is forgotten.
    for (const [key, fresh] of this.#histories) this.#histories.set(key, kept.get(key) ?? fresh);
    const round = (): void => void (this.#round = this.ask());
    this.#timer = setInterval(round, intervalMs);
    round();
  }

  /** Ends what it began; nothing that was seen is lost. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
    await this.#kept;
  }

  /** One round. Each answer counts when it comes: nobody waits for the slowest to learn of the others. */
  async ask(): Promise<void> {
    const { endpoints, ca, timeoutMs } = this.settings;
    const patience = { timeoutMs, ...(ca && { ca }) };
    await Promise.all(
      endpoints.map(async (endpoint) => {
        const answer = await probe(endpoint, patience);
        const history = this.historyOf(endpoint);
        const before = history.state;
        history.record(answer, Date.now());
        if (history.state !== before)
          log("info", `${keyOf(endpoint)} is ${history.state}${answer.reason ? `: ${answer.reason}` : ""}`);
      }),
    );
    this.#rounds++;
    this.#kept = this.#kept.then(() => this.#keep());
    await this.#kept;
  }

  historyOf(endpoint: Endpoint): History {
    const found = this.#histories.get(keyOf(endpoint));
    if (!found) throw new Error(`${keyOf(endpoint)} is not watched`);
    return found;
  }

  /** Since the process started; without one there is nothing to show. */
  get rounds(): number {
    return this.#rounds;
  }

  /** When the history was last written to its file; 0 where it never was. */
  get savedAt(): number {
    return this.#savedAt;
  }

  /** A full disk takes the history, not the page. */
  async #keep(): Promise<void> {
    const { file } = this.settings;
    if (!file) return;
    try {
      await save(file, this.#histories);
      this.#savedAt = Date.now();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log("error", `the history cannot be kept: ${(error as Error).message}`);
      this.#failing = true;
    }
  }
}
