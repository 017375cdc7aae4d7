/** So many different passphrases may be tried; the last wrong one destroys the secret. */
export const MAX_GUESSES = 5;
/** For so long the one who opened a secret may ask for it again, by the same `reader`: an answer can get lost. */
export const AGAIN_MS = 60_000;
/** For so long after a secret's end its link says what became of it. */
export const REMEMBERED_MS = 7 * 24 * 3_600_000;

/** Nothing to be had under this name, and since when. */
export type Gone = { state: "unknown" } | { state: "expired" | "used" | "destroyed"; at: number };

export interface NewEntry {
  /** The encrypted secret. */
  sealed: string;
  /** What only those can show who have the link's key. */
  proof: string;
  /** Whether it takes a passphrase. */
  locked: boolean;
  ttlMs: number;
  expires: number;
}

export type Looked = Gone | { state: "waiting"; locked: boolean; expires: number };
export type Opened = Gone | { state: "locked" } | { state: "sealed"; sealed: string; guessesLeft: number };
export type Claimed = Gone | { state: "claimed" };

/**
 * Where encrypted secrets wait. Each method is atomic and may be repeated without harm. Those that promise something (`create`,
 * `claim`, `destroy`) return once it holds although a server is lost; else they throw `Unavailable`.
 */
export interface Store {
  create(name: string, entry: NewEntry): Promise<void>;
  /** How things stand, without changing them. */
  look(name: string): Promise<Looked>;
  /** The encrypted secret; of a locked one only against a guess, which counts unless it was made before. */
  open(name: string, by: { proof: string; reader: string; guess: string; at: number }): Promise<Opened>;
  /** From then on it is for this reader only, and not for long. */
  claim(name: string, by: { reader: string; at: number }): Promise<Claimed>;
  /** Ends one that nobody has claimed. */
  destroy(name: string, at: number): Promise<void>;
  /** Leaves nothing of what this reader has claimed. */
  forget(name: string, reader: string): Promise<void>;
  /** Why it cannot be used now, or nothing. */
  fault(withinMs: number): Promise<string | undefined>;
  close(): void;
}

/** Not now; perhaps in a moment. Whether it was carried out is not known. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}
