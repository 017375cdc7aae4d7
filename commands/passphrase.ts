import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/**
 * PLATFORM_PASSPHRASES names a folder with the passphrase of each stack in a file of its name, for whoever works on several
 * that share a backend. One variable for all of them would make them one.
 */
export function withPassphrase(env: NodeJS.ProcessEnv, stack: string): NodeJS.ProcessEnv {
  const { PLATFORM_PASSPHRASES: folder } = env;
  if (!folder) return env;
  const file = path.join(folder, stack);
  if (!fs.existsSync(file))
    throw new Error(
      `PLATFORM_PASSPHRASES names ${folder}, which has no file "${stack}" with the passphrase of that stack`,
    );
  const own: NodeJS.ProcessEnv = { ...env, PULUMI_CONFIG_PASSPHRASE_FILE: file };
  // One in the environment would hide the file.
  delete own.PULUMI_CONFIG_PASSPHRASE;
  return own;
}

/** What a state says of how its secrets are encrypted. */
export interface SecretsProvider {
  readonly type?: string;
  readonly state?: { readonly salt?: string };
}

const ROUNDS = 1_000_000;
const TAG_BYTES = 16;

/**
 * Pulumi looks whether a passphrase is the right one by the salt in the stack's file, which is not kept (ADR 8). Without it,
 * an update by a wrong one succeeds: what cannot be decrypted counts as null, and is written so. The state has the salt too.
 */
export function checkPassphrase(provider: SecretsProvider | undefined, env: NodeJS.ProcessEnv, stack: string): void {
  const salt = provider?.type === "passphrase" ? provider.state?.salt : undefined;
  const { PULUMI_CONFIG_PASSPHRASE: passphrase, PULUMI_CONFIG_PASSPHRASE_FILE: file } = env;
  const given = passphrase ?? (file ? fs.readFileSync(file, "utf8").trim() : undefined);
  if (salt === undefined || given === undefined || opens(salt, given)) return;
  throw new Error(
    `the passphrase is not that of stack ${stack}: nothing was changed. Name the right one by PULUMI_CONFIG_PASSPHRASE_FILE, ` +
      `or the folder that has it as "${stack}" by PLATFORM_PASSPHRASES`,
  );
}

/** The salt comes with a word that was encrypted by it: `v1:SALT:v1:NONCE:TEXT`. */
function opens(text: string, passphrase: string): boolean {
  const [, salt = "", , nonce = "", sealed = ""] = text.split(":");
  const bytes = Buffer.from(sealed, "base64");
  const key = pbkdf2Sync(passphrase, Buffer.from(salt, "base64"), ROUNDS, 32, "sha256");
  const cipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
  cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    cipher.update(bytes.subarray(0, -TAG_BYTES));
    cipher.final();
    return true;
  } catch {
    return false;
  }
}
