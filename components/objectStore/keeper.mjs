/**
 * Stands by an object store and makes what is declared: buckets, and users with a policy each. Everything is looked at and
 * made again after each change and every few minutes, so that a hand that went wrong there, or a password that was changed in
 * Vault, is followed. Buckets that nobody declares any more stay, with what is in them; users go.
 */
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import process from "node:process";
import { ask, sealed } from "./requests.mjs";

const settings = JSON.parse(fs.readFileSync(process.env.KEEPER_SETTINGS, "utf8"));
const { endpoint, places, listen, buckets, users, own, administrator, seconds } = settings;
const ADMIN = "/minio/admin/v3";

const say = (message) => console.log(JSON.stringify({ time: new Date().toISOString(), message }));
const pause = (time) => new Promise((done) => setTimeout(done, time * 1000));

let said = "";
/** What does not change is said once. */
function sayOnce(message) {
  if (message !== said) say(message);
  said = message;
}

const passwordOf = (user) => fs.readFileSync(path.join(places.logins, user), "utf8").trim();
const file = (name) => fs.readFileSync(path.join(places.client, name));

async function asked(request, allowed = []) {
  const login = { user: administrator, password: passwordOf(administrator) };
  const tls = { cert: file("tls.crt"), key: file("tls.key"), ca: file("ca.crt") };
  const { status, text, code } = await ask(endpoint, tls, login, request);
  if (status < 300 || allowed.includes(code)) return text;
  throw new Error(`${request.method} ${request.path}: ${status} ${code ?? ""}`);
}

const put = (action, query, body, allowed) =>
  asked({ method: "PUT", path: `${ADMIN}/${action}`, query, body: body ?? "" }, allowed);

/** A user can do nothing before it has its policy, so nothing is ever open in between. */
async function makeUser({ name, policy }) {
  const password = passwordOf(administrator);
  await put("add-canned-policy", { name }, JSON.stringify(policy));
  const body = JSON.stringify({ secretKey: passwordOf(name), status: "enabled" });
  await put("add-user", { accessKey: name }, sealed(password, body));
  await put("set-user-or-group-policy", { policyName: name, userOrGroup: name, isGroup: "false" });
}

/** Each user has a policy of its name: the list of policies is one of users, and not a sealed one. */
async function removeOthers() {
  const known = Object.keys(JSON.parse(await asked({ method: "GET", path: `${ADMIN}/list-canned-policies` })));
  const declared = new Set(users.map(({ name }) => name));
  const prefix = new RegExp(own);
  for (const name of known.filter((each) => prefix.test(each) && !declared.has(each))) {
    const remove = (action, query, allowed) => asked({ method: "DELETE", path: `${ADMIN}/${action}`, query }, allowed);
    await remove("remove-user", { accessKey: name }, ["XMinioAdminNoSuchUser"]);
    await remove("remove-canned-policy", { name }, ["XMinioAdminNoSuchPolicy"]);
    say(`removed the user ${name}, whom nobody declares any more`);
  }
}

async function make() {
  const there = ["BucketAlreadyOwnedByYou", "BucketAlreadyExists"];
  for (const bucket of buckets) await asked({ method: "PUT", path: `/${bucket}` }, there);
  for (const user of users) await makeUser(user);
  await removeOthers();
}

let ready = false;
http
  .createServer((_, response) => response.writeHead(ready ? 200 : 503).end(`${said}\n`))
  .listen(listen.port, listen.host);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));

let made = "";
let when = 0;
for (;;) {
  try {
    const now = JSON.stringify([administrator, ...users.map(({ name }) => name)].map(passwordOf));
    if (now !== made || Date.now() - when > seconds.again * 1000) {
      await make();
      made = now;
      when = Date.now();
      ready = true;
      sayOnce(`${buckets.length} buckets and ${users.length} users are as declared`);
    }
  } catch (error) {
    ready = false;
    made = "";
    sayOnce(`not yet as declared: ${error.message}`);
  }
  await pause(seconds.look);
}
