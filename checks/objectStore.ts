import { selector } from "../components/lib/labels";
import { ADMINISTRATOR, type AppBucket, PORT, bucketsOf, loaderOf, userOf } from "../components/objectStore/settings";
import { type Check, Skip } from "./check";
import { type Pod, nameOf, serversOf } from "./pods";
import type { Stand } from "./stand";

/** As index.ts names it. */
const NAME = "object-store";
const identity = (name: string): Record<string, string> =>
  selector({ environment: "", component: "object-store", name });

function bucketsIn(stand: Stand): Readonly<Record<string, AppBucket>> {
  const { objectStore, apps } = stand.config;
  if (!objectStore) throw new Skip("the stack has no object store");
  return Object.fromEntries(Object.entries(apps).flatMap(([app, { bucket }]) => (bucket ? [[app, bucket]] : [])));
}

const servers = (stand: Stand): Promise<readonly Pod[]> => serversOf(stand, "the object store", identity(NAME));

/** What stands beside it has a certificate, everybody's password and a runtime: what is asked is asked from there. */
async function inKeeper(stand: Stand, script: string, asked: unknown): Promise<string[]> {
  const [keeper] = await serversOf(stand, "the object store's keeper", identity(`${NAME}-keeper`));
  const { namespace = "", name = "" } = keeper?.metadata ?? {};
  const at = ["exec", "-n", namespace, name, "-c", "keeper", "--"];
  const command = ["node", "--input-type=module", "-e", `${SURROUNDINGS}${script}`, JSON.stringify(asked)];
  return JSON.parse(await stand.kubectl([...at, ...command])) as string[];
}

const SURROUNDINGS = `
import fs from "node:fs";
import path from "node:path";
import tls from "node:tls";
const at = process.env.KEEPER_SETTINGS;
const { endpoint, places } = JSON.parse(fs.readFileSync(at, "utf8"));
const { ask } = await import(path.join(path.dirname(at), "requests.mjs"));
const asked = JSON.parse(process.argv[1]);
const file = (name) => fs.readFileSync(path.join(places.client, name));
const { hostname } = new URL(endpoint);
`;

export interface Attempt {
  readonly user: string;
  readonly method: string;
  readonly path: string;
}

/** By each user with the certificate of the keeper: the code of what is answered. */
export const ATTEMPTS = `
const own = { cert: file("tls.crt"), key: file("tls.key"), ca: file("ca.crt") };
const answers = [];
for (const { user, method, path: where } of asked) {
  const password = fs.readFileSync(path.join(places.logins, user), "utf8").trim();
  const { status, code } = await ask(endpoint, own, { user, password }, { method, path: where });
  answers.push(code ?? String(status));
}
console.log(JSON.stringify(answers));`;

/** What somebody without a certificate gets at each place, and what somebody who does not even speak TLS does. */
export const STRANGERS = `
const heard = (socket, say) => new Promise((done) => {
  let text = "";
  socket.setTimeout(5000, () => socket.destroy(new Error("silence")));
  socket.on("data", (data) => (text += data));
  socket.on("error", (error) => done(error.code ?? error.message));
  socket.on("close", () => done(text.split("\\r\\n")[0] || "closed"));
  socket.write(say);
});
const request = "GET / HTTP/1.1\\r\\nHost: " + hostname + "\\r\\nConnection: close\\r\\n\\r\\n";
const net = await import("node:net");
const answers = [];
for (const { host, port } of asked) {
  answers.push(await heard(tls.connect({ host, port, servername: hostname, ca: file("ca.crt") }), request));
  answers.push(await heard(net.connect({ host, port }), request));
}
console.log(JSON.stringify(answers));`;

const DENIED = "AccessDenied";
/** No object of anybody's: what is wrongly allowed does no harm. */
const NOBODY = ".nobody-has-this-object";

interface Wanted extends Attempt {
  readonly answer: string;
}

/** What the user of an application tries, and what it should be told. */
function tries(app: string, { name, access, load }: AppBucket, buckets: readonly string[]): Wanted[] {
  const attempt = (user: string, method: string, bucket: string, answer: string): Wanted => ({
    user,
    method,
    path: `/${bucket}/${NOBODY}`,
    answer,
  });
  const others = buckets.filter((bucket) => bucket !== name);
  const user = userOf(app);
  return [
    attempt(user, "GET", name, "NoSuchKey"),
    ...(access === "read" ? ["PUT", "DELETE"].map((method) => attempt(user, method, name, DENIED)) : []),
    ...(load ? [attempt(loaderOf(app), "DELETE", name, DENIED)] : []),
    ...others.flatMap((bucket) => ["GET", "PUT", "DELETE"].map((method) => attempt(user, method, bucket, DENIED))),
    { user, method: "PUT", path: `/${NOBODY.slice(1)}`, answer: DENIED },
    { user, method: "GET", path: "/minio/admin/v3/list-canned-policies", answer: DENIED },
  ];
}

async function ownBucketOnly(stand: Stand): Promise<string> {
  const buckets = bucketsIn(stand);
  const all = bucketsOf(buckets);
  const wanted = Object.entries(buckets).flatMap(([app, bucket]) => tries(app, bucket, all));
  if (wanted.length === 0) throw new Skip("no application has a bucket");
  const answers = await inKeeper(
    stand,
    ATTEMPTS,
    wanted.map(({ user, method, path }) => ({ user, method, path })),
  );
  const wrong = wanted.flatMap(({ user, method, path, answer }, index) =>
    answers[index] === answer ? [] : [`${user} ${method} ${path}: ${answers[index] ?? "nothing"}, not ${answer}`],
  );
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  return `${wanted.length} attempts`;
}

async function certified(stand: Stand): Promise<string> {
  bucketsIn(stand);
  const pods = await servers(stand);
  const places = pods.map(({ status }) => ({ host: status.podIP, port: PORT }));
  const answers = await inKeeper(stand, STRANGERS, places);
  for (const [index, pod] of pods.entries()) {
    const [without, open] = answers.slice(2 * index, 2 * index + 2);
    if (!/CERTIFICATE_REQUIRED|certificate required/i.test(without ?? ""))
      throw new Error(`${nameOf(pod)} does not refuse a client without a certificate: ${without}`);
    if (/ 200 |<\w/.test(open ?? "")) throw new Error(`${nameOf(pod)} answers a client in the open: ${open}`);
  }
  return `${pods.length} servers`;
}

async function declared(stand: Stand): Promise<string> {
  const buckets = bucketsOf(bucketsIn(stand));
  const wanted = stand.config.objectStore?.servers ?? 0;
  const found = (await servers(stand)).length;
  if (found !== wanted) throw new Error(`${found} servers are ready, of ${wanted}`);
  const asked = buckets.map((bucket) => ({ user: ADMINISTRATOR, method: "HEAD", path: `/${bucket}` }));
  const answers = await inKeeper(stand, ATTEMPTS, asked);
  const missing = buckets.filter((_, index) => answers[index] !== "200");
  if (missing.length > 0) throw new Error(`no bucket ${missing.join(", ")}`);
  return `${found} servers, ${buckets.length} buckets`;
}

export const objectStoreChecks: readonly Check[] = [
  { id: "004.8", title: "the object store has its servers, and the buckets that applications ask for", run: declared },
  {
    id: "004.13",
    title: "each key of the object store opens its own bucket, as far as it should, and nothing else",
    run: ownBucketOnly,
  },
  {
    id: "004.5",
    title: "no server of the object store takes a client without a certificate, or in the open",
    run: certified,
  },
];
