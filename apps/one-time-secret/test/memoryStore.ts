import {
  AGAIN_MS,
  type Claimed,
  type Gone,
  type Looked,
  MAX_GUESSES,
  type NewEntry,
  type Opened,
  REMEMBERED_MS,
  type Store,
  Unavailable,
} from "../src/store";

interface Entry extends NewEntry {
  until: number;
  guesses: Set<string>;
  end?: { state: "used" | "destroyed"; at: number; reader?: string };
}

/** Keeps the store's promises without Redis, on a clock that a test can put forward. */
export class MemoryStore implements Store {
  readonly entries = new Map<string, Entry>();
  /** Why nothing works now. */
  down: string | undefined;
  /** Carries out and then fails, so many times. */
  unconfirmed = 0;
  #ahead = 0;

  get now(): number {
    return Date.now() + this.#ahead;
  }

  pass(ms: number): void {
    this.#ahead += ms;
  }

  async create(name: string, entry: NewEntry): Promise<void> {
    await this.#turn();
    if (!this.#entry(name)) this.entries.set(name, { ...entry, until: this.now + entry.ttlMs, guesses: new Set() });
    this.#confirm();
  }

  async look(name: string): Promise<Looked> {
    await this.#turn();
    const entry = this.#entry(name);
    if (!entry) return { state: "unknown" };
    return this.#gone(entry) ?? { state: "waiting", locked: entry.locked, expires: entry.expires };
  }

  async open(name: string, by: { proof: string; reader: string; guess: string; at: number }): Promise<Opened> {
    await this.#turn();
    const entry = this.#entry(name);
    if (entry?.proof !== by.proof) return { state: "unknown" };
    const sealed = (): Opened => ({
      state: "sealed",
      sealed: entry.sealed,
      guessesLeft: MAX_GUESSES - entry.guesses.size,
    });
    if (this.#isTheirs(entry, by.reader)) return sealed();
    const gone = this.#gone(entry);
    if (gone) return gone;
    if (!entry.locked) return sealed();
    if (by.guess === "") return { state: "locked" };
    entry.guesses.add(by.guess);
    if (entry.guesses.size <= MAX_GUESSES) return sealed();
    entry.end = { state: "destroyed", at: by.at };
    return entry.end as Gone;
  }

  async claim(name: string, { reader, at }: { reader: string; at: number }): Promise<Claimed> {
    await this.#turn();
    const entry = this.#entry(name);
    if (!entry) return { state: "unknown" };
    if (!this.#isTheirs(entry, reader)) {
      const gone = this.#gone(entry);
      if (gone) return gone;
      entry.end = { state: "used", at, reader };
      entry.until = Math.min(entry.until, this.now + AGAIN_MS);
    }
    this.#confirm();
    return { state: "claimed" };
  }

  async destroy(name: string, at: number): Promise<void> {
    await this.#turn();
    const entry = this.#entry(name);
    if (entry && !entry.end) entry.end = { state: "destroyed", at };
    this.#confirm();
  }

  async forget(name: string, reader: string): Promise<void> {
    await this.#turn();
    const entry = this.#entry(name);
    if (entry && this.#isTheirs(entry, reader)) entry.until = 0;
  }

  fault(): Promise<string | undefined> {
    return Promise.resolve(this.down);
  }

  close(): void {
    this.entries.clear();
  }

  /** As over a network, others get their turn in between. */
  async #turn(): Promise<void> {
    await new Promise(setImmediate);
    if (this.down) throw new Unavailable(this.down);
  }

  #confirm(): void {
    if (this.unconfirmed-- > 0) throw new Unavailable("0 of 1 replicas of Redis have it");
    this.unconfirmed = 0;
  }

  #entry(name: string): Entry | undefined {
    const entry = this.entries.get(name);
    return entry && this.now < entry.expires + REMEMBERED_MS ? entry : undefined;
  }

  #isTheirs({ end, until }: Entry, reader: string): boolean {
    return end?.state === "used" && end.reader === reader && this.now < until;
  }

  #gone({ end, until, expires }: Entry): Gone | undefined {
    if (end) return { state: end.state, at: end.at };
    return this.now < until ? undefined : { state: "expired", at: expires };
  }
}
