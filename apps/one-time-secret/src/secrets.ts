import { randomBytes } from "node:crypto";
import { type Cipher, DoesNotOpen, KeyMissing, guessOf, isId, nameOf, newLink, proofOf, readerOf } from "./cipher";
import { log } from "./log";
import { type Gone, type Looked, type Store, Unavailable } from "./store";

export interface Created {
  id: string;
  key: string;
  expires: number;
}

export interface Reading {
  id: string;
  key: string;
  passphrase?: string;
  /** The same for each time that one reader asks, so that an answer that got lost is given again. */
  reader?: string;
}

export type Revealed =
  | Gone
  | { state: "revealed"; secret: string }
  /** It takes a passphrase. */
  | { state: "locked" }
  | { state: "wrong"; guessesLeft: number };

/** Nobody knows whether the secret was claimed. Who asks again as this reader gets it either way. */
export class Unanswered extends Unavailable {
  constructor(
    readonly reader: string,
    cause: Unavailable,
  ) {
    super(cause.message);
  }
}

/** What the service does, whoever asks and wherever it is kept. */
export class Secrets {
  constructor(
    private readonly store: Store,
    private readonly cipher: Cipher,
  ) {}

  async create(secret: string, ttlMs: number, passphrase?: string): Promise<Created> {
    const link = newLink();
    const sealed = await this.cipher.seal(secret, link, passphrase);
    const expires = Date.now() + ttlMs;
    const entry = { sealed, proof: proofOf(link.key), locked: passphrase !== undefined, ttlMs, expires };
    await this.store.create(nameOf(link.id), entry);
    return { ...link, expires };
  }

  look(id: string): Promise<Looked> {
    return isId(id) ? this.store.look(nameOf(id)) : Promise.resolve({ state: "unknown" });
  }

  /**
   * Decrypts first and claims then: what cannot be read is not used up. Of many who get so far only one claims it, and only
   * that one is answered.
   */
  async reveal({ id, key, passphrase, reader: given }: Reading): Promise<Revealed> {
    if (!isId(id)) return { state: "unknown" };
    const [name, token] = [nameOf(id), given ?? randomBytes(16).toString("base64url")];
    const reader = readerOf(token);
    const guess = passphrase === undefined ? "" : guessOf(key, passphrase);
    const opened = await this.store.open(name, { proof: proofOf(key), reader, guess, at: Date.now() });
    if (opened.state !== "sealed") return opened;
    const secret = await this.#decrypt(opened.sealed, { id, key, passphrase });
    if (secret === undefined) return this.#wrong(name, opened.guessesLeft);
    try {
      const claimed = await this.store.claim(name, { reader, at: Date.now() });
      if (claimed.state !== "claimed") return claimed;
    } catch (error) {
      throw error instanceof Unavailable ? new Unanswered(token, error) : error;
    }
    // Nobody can ask again by a name that nobody was told. What is not deleted now goes by itself in a minute.
    if (given === undefined) this.store.forget(name, reader).catch(() => undefined);
    return { state: "revealed", secret };
  }

  async #decrypt(sealed: string, { id, key, passphrase }: Reading): Promise<string | undefined> {
    try {
      return await this.cipher.unseal(sealed, { id, key }, passphrase);
    } catch (error) {
      // Perhaps another replica has the new key already, and this one is about to be replaced.
      if (error instanceof KeyMissing) {
        log("error", "a secret was encrypted with a key that is neither OTS_KEY nor OTS_KEY_PREVIOUS");
        throw new Unavailable("the key of this secret is not here");
      }
      if (error instanceof DoesNotOpen && passphrase !== undefined) return undefined;
      throw error;
    }
  }

  async #wrong(name: string, guessesLeft: number): Promise<Revealed> {
    if (guessesLeft > 0) return { state: "wrong", guessesLeft };
    const at = Date.now();
    await this.store.destroy(name, at);
    return { state: "destroyed", at };
  }
}
