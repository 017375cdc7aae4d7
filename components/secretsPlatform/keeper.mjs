/**
 * Stands beside each Vault server and does what would otherwise take a hand: initialises the first one, unseals, makes the
 * deployer's login, throws away the wreck of an initialisation whose keys were never stored, and passes renewed
 * certificates on. Only the seal's key is kept, in a Secret; a root token is made from it when it is needed and revoked
 * when its work is done.
 */
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import process from "node:process";

const settings = JSON.parse(fs.readFileSync(process.env.KEEPER_SETTINGS, "utf8"));
const { data, tls, account, kubernetes, vault, listen } = settings.places;
const pod = process.env.POD_NAME ?? "";
const first = pod.endsWith("-0");
/** On the volume, beside the data it speaks of: from then on the data is worth more than a fresh start. */
const kept = path.join(data, "keys-are-kept");

const say = (message) => console.log(JSON.stringify({ time: new Date().toISOString(), pod, message }));

let said = "";
/** What does not change is said once. */
function sayOnce(message) {
  if (message !== said) say(message);
  said = message;
}

const pause = (seconds = 1) => new Promise((done) => setTimeout(done, seconds * 1000));

function call(origin, { method = "GET", url, body, headers = {}, ca }) {
  return new Promise((done, fail) => {
    const request = https.request(
      new URL(url, origin),
      { method, ca, headers: { "content-type": "application/json", ...headers }, timeout: 10_000, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => (text += chunk));
        response.on("error", fail);
        response.on("end", () => {
          const answer = text.startsWith("{") ? JSON.parse(text) : {};
          done({ status: response.statusCode, answer });
        });
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer from ${origin} within 10 s`)));
    request.on("error", fail);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function asked(origin, request, allowed = []) {
  const { status, answer } = await call(origin, request);
  if (status < 300 || allowed.includes(status)) return { status, answer };
  // An answer may repeat what was sent, which may be a key: only its own words are passed on.
  const reason = answer.errors?.join("; ") ?? answer.message ?? "";
  throw new Error(`${request.method ?? "GET"} ${request.url}: ${status} ${reason}`);
}

const askVault = (url, { method, body, token, allowed } = {}) =>
  asked(
    vault,
    {
      url: `/v1/${url}`,
      method,
      body,
      headers: token ? { "x-vault-token": token } : {},
      ca: fs.readFileSync(path.join(tls, "ca.crt")),
    },
    allowed,
  );

const askKubernetes = (url, { method, body, allowed } = {}) =>
  asked(
    kubernetes,
    {
      url,
      method,
      body,
      headers: { authorization: `Bearer ${fs.readFileSync(path.join(account, "token"), "utf8").trim()}` },
      ca: fs.readFileSync(path.join(account, "ca.crt")),
    },
    allowed,
  );

const secrets = `/api/v1/namespaces/${settings.namespace}/secrets`;

/** The Secret with the seal's key, or undefined before there is one. */
async function storedSeal() {
  const { status, answer } = await askKubernetes(`${secrets}/${settings.sealSecret}`, { allowed: [404] });
  return status === 404 ? undefined : answer;
}

const valueOf = (secret, key) => Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");

async function initialise() {
  say("initialising");
  const one = settings.autoUnseal
    ? { recovery_shares: 1, recovery_threshold: 1 }
    : { secret_shares: 1, secret_threshold: 1 };
  const { answer } = await askVault("sys/init", { method: "PUT", body: one });
  const [key] = settings.autoUnseal ? answer.recovery_keys_base64 : answer.keys_base64;
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: settings.sealSecret, labels: settings.labels },
    stringData: { key },
  };
  // While this process lives the key is not lost: an API server that is away for a moment costs nothing.
  for (;;) {
    try {
      await askKubernetes(secrets, { method: "POST", body: secret });
      break;
    } catch (error) {
      sayOnce(`cannot store the seal's key yet: ${error.message}`);
      await pause();
    }
  }
  say("the seal's key is stored");
}

/** The processes of the server beside us. */
function serverProcesses() {
  return fs
    .readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "vault";
      } catch {
        return false;
      }
    })
    .map(Number);
}

function signal(name) {
  for (const pid of serverProcesses()) process.kill(pid, name);
}

/** Stopped, the server writes nothing more; killed, it starts again on an empty directory. */
function startAgain() {
  say("initialised once, but its keys were never stored and nothing has been kept in it: starting again from nothing");
  signal("SIGSTOP");
  for (const entry of fs.readdirSync(data)) fs.rmSync(path.join(data, entry), { recursive: true, force: true });
  signal("SIGKILL");
}

function decodedRootToken(encoded, otp) {
  const bytes = Buffer.from(encoded, "base64");
  const pad = Buffer.from(otp, "utf8");
  return Buffer.from(bytes.map((byte, index) => byte ^ pad[index])).toString("utf8");
}

async function rootToken(key) {
  await askVault("sys/generate-root/attempt", { method: "DELETE" });
  const { answer: attempt } = await askVault("sys/generate-root/attempt", { method: "PUT", body: {} });
  const { answer } = await askVault("sys/generate-root/update", { method: "PUT", body: { key, nonce: attempt.nonce } });
  return decodedRootToken(answer.encoded_root_token ?? answer.encoded_token, attempt.otp);
}

/** All that must be there before the deployer can log in and own the rest. Every step may be repeated. */
async function prepare(key) {
  const token = await rootToken(key);
  try {
    const { answer: devices } = await askVault("sys/audit", { token });
    if (!devices.data?.["stdout/"])
      await askVault("sys/audit/stdout", {
        method: "PUT",
        token,
        body: { type: "file", options: { file_path: "stdout" } },
      });
    const { answer: logins } = await askVault("sys/auth", { token });
    if (!logins.data?.["kubernetes/"])
      await askVault("sys/auth/kubernetes", { method: "POST", token, body: { type: "kubernetes" } });
    for (const [url, body] of Object.entries(settings.writes)) await askVault(url, { method: "POST", token, body });
  } finally {
    await askVault("auth/token/revoke-self", { method: "POST", token, body: {} });
  }
}

const prepared = (secret) => valueOf(secret, "prepared") === settings.version;

async function markPrepared() {
  // As an update of one key of this one Secret: the keeper may not do more.
  const secret = await storedSeal();
  const change = { ...secret.data, prepared: Buffer.from(settings.version).toString("base64") };
  await askKubernetes(`${secrets}/${settings.sealSecret}`, { method: "PUT", body: { ...secret, data: change } });
  say("prepared: the deployer can log in, and no root token is left");
}

let certificate = "";
/** The server reads a renewed certificate when it is told to. */
function passOnCertificate() {
  const now = fs.readFileSync(path.join(tls, "tls.crt"), "utf8");
  if (certificate && now !== certificate) {
    say("certificate renewed");
    signal("SIGHUP");
  }
  certificate = now;
}

let ready = false;

async function round() {
  passOnCertificate();
  const { answer: seal } = await askVault("sys/seal-status");
  const secret = await storedSeal();
  if (!secret) {
    if (seal.initialized && fs.existsSync(kept))
      throw new Error(
        `the Secret ${settings.sealSecret} is gone, but the data are in use: put it back from a backup; nothing was changed`,
      );
    if (!first) return sayOnce("waiting for the first server");
    return seal.initialized ? startAgain() : initialise();
  }
  const key = valueOf(secret, "key");
  if (seal.sealed && !settings.autoUnseal) {
    const { answer, status } = await askVault("sys/unseal", { method: "PUT", body: { key }, allowed: [400, 500] });
    if (status >= 300 || answer.sealed) return sayOnce("sealed: waiting for the first server, or to join it");
    say("unsealed");
    return;
  }
  if (seal.sealed) return sayOnce("sealed: waiting for its seal's service");
  if (!fs.existsSync(kept)) fs.writeFileSync(kept, "");
  if (!prepared(secret)) {
    const { answer: leader } = await askVault("sys/leader");
    if (!leader.is_self) return sayOnce("waiting for the leader to prepare the logins");
    await prepare(key);
    await markPrepared();
  }
  ready = true;
  sayOnce("serving");
}

// Once its work is done a keeper stays ready: whether the server serves is the server's own probe.
http.createServer((_, response) => response.writeHead(ready ? 200 : 503).end()).listen(listen);
for (const name of ["SIGTERM", "SIGINT"]) process.on(name, () => process.exit(0));

for (;;) {
  try {
    await round();
  } catch (error) {
    sayOnce(error.message);
  }
  await pause(ready ? 5 : 1);
}
