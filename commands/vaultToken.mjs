#!/usr/bin/env node
/**
 * Vault's token helper for the shell of `npm run env`: `vaultToken.mjs get` prints a token for the Vault at VAULT_ADDR. It
 * lasts minutes and is made for whoever may make tokens of the deployer's account, by their login at the cluster.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const TIMEOUT_MS = 5000;

function kubectl(args) {
  const context = process.env.PLATFORM_CONTEXT ? ["--context", process.env.PLATFORM_CONTEXT] : [];
  return execFileSync("kubectl", [...context, "--request-timeout=5s", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 2 * TIMEOUT_MS,
  });
}

/** The namespace of the Vault that says of itself that it is reached there. A deployer sees those of its stack alone. */
function namespaceOf(address) {
  const { PLATFORM_STACK: stack } = process.env;
  const where = stack ? ["-n", `${stack}-secrets`] : ["-A"];
  const { items } = JSON.parse(
    kubectl(["get", "services", ...where, "-l", "app.kubernetes.io/component=secrets", "-o", "json"]),
  );
  const found = items.find(({ metadata }) => metadata.annotations?.["platform/vault"] === address);
  if (!found) throw new Error(`the cluster of KUBECONFIG has no Vault at ${address}`);
  return found.metadata.namespace;
}

/** A server that stands by sends its callers away, or fails, while it does not know to whom to pass them on. */
class NoLeader extends Error {}
const WITHOUT_LEADER = [307, 500];

async function loginAtLast(address, jwt) {
  for (const end = Date.now() + 2 * TIMEOUT_MS; ; await sleep(500)) {
    try {
      return await login(address, jwt);
    } catch (error) {
      if (!(error instanceof NoLeader) || Date.now() > end) throw error;
    }
  }
}

function login(address, jwt) {
  const body = JSON.stringify({ role: "deployer", jwt });
  return new Promise((done, fail) => {
    const request = https.request(
      new URL("/v1/auth/kubernetes/login", address),
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        ca: process.env.SSL_CERT_FILE ? fs.readFileSync(process.env.SSL_CERT_FILE) : undefined,
        timeout: TIMEOUT_MS,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => (text += chunk));
        response.on("error", fail);
        response.on("end", () => {
          const answer = text.startsWith("{") ? JSON.parse(text) : {};
          const token = answer.auth?.client_token;
          const reason = answer.errors?.join("; ") || response.statusCode;
          if (token) done(token);
          else if (WITHOUT_LEADER.includes(response.statusCode))
            fail(new NoLeader(`the servers of Vault at ${address} have no leader yet: ${reason}`));
          else fail(new Error(`Vault at ${address} refused the login: ${reason}`));
        });
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    request.on("error", (error) => fail(new Error(`Vault at ${address} does not answer: ${error.message}`)));
    request.end(body);
  });
}

/** The plugin that asks, through whatever shells it does; unknown where processes cannot be looked at. */
function asker() {
  try {
    for (let pid = process.ppid; pid > 1;) {
      const [, comm = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(fs.readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
      const fields = rest.split(" ");
      if (comm.startsWith("pulumi-resource")) return `${pid} ${fields[19]}`;
      pid = Number(fields[1]);
    }
  } catch {
    // Without /proc every question takes its own time.
  }
  return undefined;
}

/**
 * A plugin asks anew for each of its resources, one after the other: a Vault that did not answer the first time would cost it
 * that patience for each. What was said to it once is said to it again.
 */
async function oncePerPlugin(address, work) {
  const file = process.env.VAULT_CONFIG_PATH && `${process.env.VAULT_CONFIG_PATH}.failed`;
  const plugin = file && asker();
  if (!plugin) return work();
  const known = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
  if (known.plugin === plugin && known.address === address) throw new Error(known.message);
  try {
    return await work();
  } catch (error) {
    fs.writeFileSync(file, JSON.stringify({ plugin, address, message: said(error) }), { mode: 0o600 });
    throw error;
  }
}

const said = (error) => error.stderr?.trim() || error.message;

async function token(address) {
  const namespace = namespaceOf(address);
  const jwt = kubectl([
    "create",
    "token",
    "deployer",
    "-n",
    namespace,
    "--audience",
    "vault",
    "--duration",
    "10m",
  ]).trim();
  return loginAtLast(address, jwt);
}

async function main([operation]) {
  // Vault's own client also asks a helper to keep and to forget tokens: this one keeps none.
  if (operation !== "get") return;
  const address = process.env.VAULT_ADDR;
  if (!address) throw new Error("VAULT_ADDR does not say which Vault");
  process.stdout.write(await oncePerPlugin(address, () => token(address)));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${said(error)}\n`);
  process.exit(1);
});
