#!/usr/bin/env node
/**
 * Vault's token helper for the shell of `npm run env`: `vaultToken.mjs get` prints a token for the Vault at VAULT_ADDR. It
 * lasts minutes and is made for whoever may make tokens of the deployer's account, by their login at the cluster.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import process from "node:process";

const TIMEOUT_MS = 5000;

function kubectl(args) {
  const context = process.env.PLATFORM_CONTEXT ? ["--context", process.env.PLATFORM_CONTEXT] : [];
  return execFileSync("kubectl", [...context, "--request-timeout=5s", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 2 * TIMEOUT_MS,
  });
}

/** The namespace of the Vault that says of itself that it is reached there. */
function namespaceOf(address) {
  const { items } = JSON.parse(
    kubectl(["get", "services", "-A", "-l", "app.kubernetes.io/component=secrets", "-o", "json"]),
  );
  const found = items.find(({ metadata }) => metadata.annotations?.["platform/vault"] === address);
  if (!found) throw new Error(`the cluster of KUBECONFIG has no Vault at ${address}`);
  return found.metadata.namespace;
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
          if (token) done(token);
          else
            fail(
              new Error(`Vault at ${address} refused the login: ${answer.errors?.join("; ") || response.statusCode}`),
            );
        });
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    request.on("error", (error) => fail(new Error(`Vault at ${address} does not answer: ${error.message}`)));
    request.end(body);
  });
}

async function main([operation]) {
  // Vault's own client also asks a helper to keep and to forget tokens: this one keeps none.
  if (operation !== "get") return;
  const address = process.env.VAULT_ADDR;
  if (!address) throw new Error("VAULT_ADDR does not say which Vault");
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
  process.stdout.write(await login(address, jwt));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.stderr?.trim() || error.message}\n`);
  process.exit(1);
});
