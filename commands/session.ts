import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { dockerHost } from "../sandbox/docker";
import { filesOf } from "../sandbox/layout";
import { backendOf } from "../sandbox/pulumiProcesses";
import type { Toolchain } from "../toolchain";
import { trustBundle } from "./target";

/** The variables with which pulumi and kubectl, started by hand or by us, work on a target. */
export type Session = Readonly<Record<string, string>>;

export const ROOT = path.resolve(__dirname, "..");
export const PROGRAM_ITEMS = [
  "pulumi",
  "kubectl",
  "plugin-kubernetes",
  "plugin-random",
  "plugin-docker",
  "plugin-vault",
];

/** State and its passphrase live in the cluster's own directory and go with it. */
export function stateSession(dir: string): Session {
  const { state, passphrase } = filesOf(dir);
  fs.mkdirSync(state, { recursive: true, mode: 0o700 });
  if (!fs.existsSync(passphrase)) fs.writeFileSync(passphrase, randomBytes(24).toString("base64url"), { mode: 0o600 });
  return { PULUMI_BACKEND_URL: backendOf(dir), PULUMI_CONFIG_PASSPHRASE_FILE: passphrase };
}

/** What a shell for one stack has beside; an older one's is not for the next. */
export const NO_DEPLOYER: Session = { PLATFORM_MINTER: "", PLATFORM_STACK: "" };

export function sandboxSession(dir: string, toolchain: Toolchain): Session {
  const files = filesOf(dir);
  return {
    ...toolSession(toolchain),
    ...stateSession(dir),
    KUBECONFIG: files.kubeconfig,
    PLATFORM_TARGET: files.target,
    DOCKER_HOST: dockerHost(dir),
    SSL_CERT_FILE: trustBundle(dir),
    ...NO_DEPLOYER,
    ...vaultLogin(dir),
  };
}

/** Lets the Vault plugin log in by itself: it asks this helper for a token, which nobody keeps. */
function vaultLogin(dir: string): Session {
  const file = filesOf(dir).vaultLogin;
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.writeFileSync(file, `token_helper = ${JSON.stringify(path.join(__dirname, "vaultToken.mjs"))}\n`);
  return { VAULT_CONFIG_PATH: file };
}

export function toolSession(toolchain: Toolchain): Session {
  return {
    PATH: `${toolchain.path}:${process.env.PATH ?? ""}`,
    PULUMI_HOME: toolchain.pulumiHome,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_PARALLEL: "64",
    PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
    // What an interrupted run created, or a hand changed, bears another field manager: the stack's own word counts.
    PULUMI_K8S_ENABLE_PATCH_FORCE: "true",
  };
}

/** As a shell reads it. */
export const exportsOf = (session: Session): string =>
  Object.entries(session)
    .map(([name, value]) => `export ${name}='${value.replace(/'/g, `'\\''`)}'`)
    .join("\n");

/**
 * The salt that Pulumi writes into a stack's file belongs to one passphrase, and each sandbox has its own: the state keeps
 * it, the file must not, or the next sandbox could not read it.
 */
export function withoutSalt(text: string): string {
  return text.replace(/^encryptionsalt:.*\n?/m, "");
}

export function removeSalt(stack: string): void {
  const file = path.join(ROOT, `Pulumi.${stack}.yaml`);
  if (!fs.existsSync(file)) return;
  const text = fs.readFileSync(file, "utf8");
  if (withoutSalt(text) !== text) fs.writeFileSync(file, withoutSalt(text));
}
