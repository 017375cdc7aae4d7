import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, scrypt } from "node:crypto";
import { Limit } from "./limit";

/** About 80 ms and 32 MiB for each passphrase that somebody tries. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const SCRYPT_AT_ONCE = 2;
const SCRYPT_QUEUED = 100;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const bytes = (encoded = ""): Buffer => Buffer.from(encoded, "base64url");
const derive = (from: Buffer, salt: Buffer | string, purpose: string): Buffer =>
  Buffer.from(hkdfSync("sha256", from, salt, `one-time-secret ${purpose}`, 32));

export interface Link {
  /** In the link's path. What is stored is filed under its hash. */
  id: string;
  /** In the link's fragment, which browsers send to nobody. Never stored. */
  key: string;
}

export const newLink = (): Link => ({ id: text(randomBytes(16)), key: text(randomBytes(32)) });
export const isId = (value: string): boolean => /^[\w-]{22}$/.test(value);
export const isKey = (value: string): boolean => /^[\w-]{43}$/.test(value);

/** Under which a secret is filed: who reads the store cannot make a link from it. */
export const nameOf = (id: string): string => createHash("sha256").update(bytes(id)).digest("base64url");
/** Shows the store that somebody has the key, without the key. */
export const proofOf = (key: string): string => text(derive(bytes(key), "", "proof"));
/** Tells one passphrase from another without anybody being able to try some: that would take the key. */
export const guessOf = (key: string, passphrase: string): string =>
  text(derive(bytes(key), passphrase.normalize("NFC"), "guess"));
export const readerOf = (token: string): string => createHash("sha256").update(token).digest("base64url");

/** The key and the passphrase do not fit what is stored. */
export class DoesNotOpen extends Error {}
/** Encrypted with an application's key that this process was not given. */
export class KeyMissing extends Error {}

/**
 * AES-256-GCM with a key for each secret, made of three parts: the link's, which is stored nowhere; the application's, which Redis
 * does not have; and the passphrase, where there is one.
 */
export class Cipher {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #current: string;
  readonly #passphrases = new Limit(SCRYPT_AT_ONCE, SCRYPT_QUEUED);

  /** The first key encrypts, all of them decrypt. */
  constructor(keys: readonly string[]) {
    const entries = keys.map((key) => [idOf(key), Buffer.from(key)] as const);
    this.#keys = new Map(entries);
    this.#current = entries[0]?.[0] ?? "";
  }

  async seal(secret: string, { id, key }: Link, passphrase?: string): Promise<string> {
    const salt = passphrase === undefined ? Buffer.alloc(0) : randomBytes(16);
    const nonce = randomBytes(12);
    const contentKey = await this.#contentKey(this.#current, key, salt, passphrase);
    const cipher = createCipheriv("aes-256-gcm", contentKey, nonce).setAAD(Buffer.from(nameOf(id)));
    const content = Buffer.concat([cipher.update(secret, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return ["1", this.#current, text(salt), text(nonce), text(content)].join(".");
  }

  async unseal(sealed: string, { id, key }: Link, passphrase?: string): Promise<string> {
    const [, keyId = "", salt, nonce, encoded] = sealed.split(".");
    const contentKey = await this.#contentKey(keyId, key, bytes(salt), salt ? passphrase : undefined);
    const content = bytes(encoded);
    const decipher = createDecipheriv("aes-256-gcm", contentKey, bytes(nonce), { authTagLength: 16 })
      .setAAD(Buffer.from(nameOf(id)))
      .setAuthTag(content.subarray(-16));
    try {
      return Buffer.concat([decipher.update(content.subarray(0, -16)), decipher.final()]).toString("utf8");
    } catch {
      throw new DoesNotOpen();
    }
  }

  async #contentKey(keyId: string, key: string, salt: Buffer, passphrase = ""): Promise<Buffer> {
    const own = this.#keys.get(keyId);
    if (!own) throw new KeyMissing();
    const stretched = salt.length > 0 ? await this.#stretch(passphrase, salt) : Buffer.alloc(0);
    return derive(Buffer.concat([bytes(key), stretched]), own, "content");
  }

  #stretch(passphrase: string, salt: Buffer): Promise<Buffer> {
    return this.#passphrases.run(
      () =>
        new Promise((resolve, reject) =>
          scrypt(passphrase.normalize("NFC"), salt, 32, SCRYPT, (error, key) => (error ? reject(error) : resolve(key))),
        ),
    );
  }
}

/** Names an application's key without giving it away. */
const idOf = (key: string): string => text(derive(Buffer.from(key), "", "key id")).slice(0, 8);
