import { KV } from "../components/secretsPlatform/settings";
import { type Check, none, some } from "./check";
import { type Pod, nameOf, ownPods, podsOf } from "./pods";
import { pullLogins } from "./registry";
import type { Stand } from "./stand";
import { type Secret, askVault, decodedData, deployerToken, keptPaths, loginAs, readKept } from "./vault";

/** Shorter texts are names and numbers, which may well stand elsewhere. */
const SECRET_LENGTH = 16;
const LOG_LINES = 20_000;

interface Named {
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/** What must be seen nowhere: what Vault keeps, and the key that opens it. */
const secretValues = (stand: Stand): Promise<readonly string[]> =>
  stand.once("secret values", async () => {
    const token = await deployerToken(stand);
    const kept = await Promise.all((await keptPaths(stand)).map((path) => readKept(stand, token, path)));
    const seals = (await stand.objects<Secret>("secrets", (await stand.outputs()).namespaces.secrets ?? ""))
      .filter(({ metadata }) => metadata.name === "vault-seal")
      // Beside the key it says of which settings the server was prepared.
      .map((seal) => ({ key: decodedData(seal).key ?? "" }));
    const values = [...kept, ...seals].flatMap((each) => Object.values(each));
    return some(
      "secret in Vault",
      values.filter((value) => value.length >= SECRET_LENGTH),
    );
  });

/** Names the places that show a secret, never the secret. */
async function absent(stand: Stand, texts: readonly (readonly [place: string, text: string])[]): Promise<void> {
  const values = await secretValues(stand);
  const showing = some("text", texts).filter(([, text]) => values.some((value) => text.includes(value)));
  none(
    "a secret is in the open",
    showing.map(([place]) => place),
  );
}

async function notInState(stand: Stand): Promise<string> {
  const state = await stand.state();
  if (!state.includes("vault:kv/secretV2:SecretV2")) throw new Error("the state says nothing of Vault");
  await absent(stand, [["the state", state]]);
  return `${(await secretValues(stand)).length} secrets looked for`;
}

async function notInObjects(stand: Stand): Promise<string> {
  const objects = await stand.own<Named & { kind: string }>(
    "configmaps,pods,deployments,statefulsets,replicasets,jobs,cronjobs,services,events",
  );
  const texts = objects.map((each) => [`${each.kind} ${nameOf(each)}`, JSON.stringify(each)] as const);
  await absent(stand, texts);
  return `${texts.length} objects`;
}

const watchedPods = async (stand: Stand): Promise<Pod[]> => [
  ...(await ownPods(stand)),
  ...(await podsOf(stand, "platform-operators")),
];

async function notInLogs(stand: Stand): Promise<string> {
  const started = (await watchedPods(stand)).filter(({ status }) => status.phase !== "Pending");
  const texts = await Promise.all(
    started.map(async (pod) => {
      const { name, namespace } = pod.metadata;
      const args = ["logs", name, "-n", namespace, "--all-containers", `--tail=${LOG_LINES}`, "--ignore-errors"];
      return [`the log of ${nameOf(pod)}`, await stand.kubectl(args)] as const;
    }),
  );
  await absent(stand, texts);
  return `${texts.length} pods`;
}

/** Read by what an image has: a shell, or the runtime of the application. */
const READERS = [
  ["sh", "-c", "cat /proc/[0-9]*/cmdline"],
  [
    "node",
    "-e",
    `for (const p of fs.readdirSync("/proc")) try { console.log(fs.readFileSync("/proc/" + p + "/cmdline", "utf8")) } catch {}`,
  ],
];

async function argumentsIn(stand: Stand, pod: Pod, container: string): Promise<string | undefined> {
  for (const reader of READERS) {
    const at = ["exec", "-n", pod.metadata.namespace, pod.metadata.name, "-c", container, "--", ...reader];
    const { out } = await stand.tryKubectl(at);
    // A process without arguments is none: the first one of a container has some.
    if (out.trim()) return out;
  }
  return undefined;
}

async function notInArguments(stand: Stand): Promise<string> {
  const running = (await ownPods(stand)).filter(({ status }) => status.phase === "Running");
  const looked = await Promise.all(
    running.flatMap((pod) =>
      pod.spec.containers.map(async ({ name }) => {
        const place = `a process of ${nameOf(pod)} ${name}`;
        return { place, text: await argumentsIn(stand, pod, name) };
      }),
    ),
  );
  await absent(
    stand,
    looked.flatMap(({ place, text }) => (text === undefined ? [] : [[place, text] as const])),
  );
  const blind = looked.filter(({ text }) => text === undefined).map(({ place }) => place);
  return blind.length > 0 ? `not to be looked into: ${blind.join(", ")}` : `${looked.length} containers`;
}

async function pullSecret(stand: Stand): Promise<string> {
  const { namespaces } = await stand.outputs();
  const { pullPassword } = await readKept(stand, await deployerToken(stand), "registry/pull");
  const found = await pullLogins(stand, namespaces.apps ?? "");
  const host = stand.target.registries[stand.stack]?.host ?? "";
  const auth = Buffer.from(`pull:${pullPassword}`).toString("base64");
  const wanted = { [host]: { username: "pull", password: pullPassword, auth } };
  const isWanted =
    Object.keys(found).length === 1 &&
    Object.entries(wanted[host] ?? {}).every(
      ([key, value]) => (found[host] as unknown as Record<string, unknown> | undefined)?.[key] === value,
    );
  if (!isWanted)
    throw new Error(`the pull secret is for ${Object.keys(found).join(", ")}, or not what Vault keeps for ${host}`);
  return host;
}

interface Store extends Named {
  readonly spec: {
    readonly provider: {
      readonly vault?: {
        readonly auth: {
          readonly kubernetes?: { readonly role: string; readonly serviceAccountRef?: { readonly name: string } };
        };
      };
    };
  };
}

interface ExternalSecret extends Named {
  readonly spec: {
    readonly secretStoreRef: { readonly name: string };
    readonly data: readonly { readonly remoteRef: { readonly key: string } }[];
  };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  };
}

/** Each store's login, with the paths that its secrets name. */
async function readers(stand: Stand): Promise<{ role: string; account: string; namespace: string; paths: string[] }[]> {
  const [stores, synced] = await Promise.all([
    stand.own<Store>("secretstores"),
    stand.own<ExternalSecret>("externalsecrets"),
  ]);
  return some("store of secrets", stores).map(({ metadata: { name, namespace }, spec }) => {
    const login = spec.provider.vault?.auth.kubernetes;
    if (!login?.serviceAccountRef) throw new Error(`${namespace}/${name} does not log in by a ServiceAccount`);
    const own = synced.filter(
      (each) => each.metadata.namespace === namespace && each.spec.secretStoreRef.name === name,
    );
    const paths = [...new Set(own.flatMap(({ spec: { data } }) => data.map(({ remoteRef }) => remoteRef.key)))];
    return { role: login.role, account: login.serviceAccountRef.name, namespace, paths };
  });
}

async function ownPathOnly(stand: Stand): Promise<string> {
  const all = await keptPaths(stand);
  const found = await readers(stand);
  await Promise.all(
    found.map(async ({ role, account, namespace, paths }) => {
      const { status, body } = await loginAs(stand, role, account, namespace);
      const { client_token: token = "", lease_duration: lease = Infinity } = body.auth ?? {};
      if (status !== 200 || lease > 600) throw new Error(`${role} logs in with ${status}, for ${lease} s`);
      for (const path of paths) await readKept(stand, token, path);
      const foreign = all.filter((path) => !paths.includes(path)).map((path) => `${KV}/data/${path}`);
      const refused = [...foreign, `${KV}/metadata?list=true`, "sys/policies/acl", "sys/mounts"];
      const answers = await Promise.all(
        refused.map(async (url) => ((await askVault(stand, "GET", url, token)).status === 403 ? [] : [url])),
      );
      // For a version that there is not: where writing were allowed, nothing would be written.
      const write = { options: { cas: 1_000_000_000 }, data: {} };
      const written = await Promise.all(
        paths.map(async (path) => {
          const { status: said } = await askVault(stand, "POST", `${KV}/data/${path}`, token, write);
          return said === 403 ? [] : [`writing ${path}`];
        }),
      );
      none(`${role} is not refused`, [...answers, ...written].flat());
    }),
  );
  return found.map(({ role }) => role).join(", ");
}

/** An account of the same name elsewhere is somebody else. */
async function ownNamespaceOnly(stand: Stand): Promise<void> {
  const [reader] = await readers(stand);
  if (!reader) return;
  const { role, account, namespace } = reader;
  const elsewhere = Object.values((await stand.outputs()).namespaces).find((each) => each !== namespace) ?? "default";
  // Refused where there is one already: what is removed below is the check's own.
  await stand.kubectl(["create", "serviceaccount", account, "-n", elsewhere]);
  try {
    const { status } = await loginAs(stand, role, account, elsewhere);
    if (status !== 403) throw new Error(`Vault answers ${status} to ${elsewhere}/${account} that logs in as ${role}`);
  } finally {
    await stand.kubectl(["delete", "serviceaccount", account, "-n", elsewhere]);
  }
}

async function noToken(stand: Stand): Promise<string> {
  const secrets = some("Secret", await stand.own<Secret>("secrets"));
  const showing = secrets.filter((secret) =>
    Object.values(decodedData(secret)).some((text) => /^hvs\.|"hvs\./.test(text)),
  );
  none("holds a token of Vault", showing.map(nameOf));
  return `${secrets.length} Secrets`;
}

/** A certificate is issued, and no value that anybody keeps. */
const KEEPERS = ["ExternalSecret", "Certificate"];

async function fromVault(stand: Stand): Promise<string> {
  const namespace = (await stand.outputs()).namespaces.apps ?? "";
  const secrets = some("Secret", await stand.objects<Secret>("secrets", namespace));
  none(
    "not from Vault",
    secrets.filter(({ metadata }) => !KEEPERS.includes(metadata.ownerReferences?.[0]?.kind ?? "")).map(nameOf),
  );
  return secrets.map(({ metadata }) => metadata.name).join(", ");
}

async function synced(stand: Stand): Promise<string> {
  const all = some("ExternalSecret", await stand.own<ExternalSecret>("externalsecrets"));
  const lagging = all.flatMap((each) => {
    const ready = each.status?.conditions?.find(({ type }) => type === "Ready");
    return ready?.status === "True" ? [] : [`${nameOf(each)}: ${ready?.message ?? "nothing said yet"}`];
  });
  none("not synced", lagging);
  return `${all.length} Secrets`;
}

async function open(stand: Stand): Promise<string> {
  const { body } = await askVault(stand, "GET", "sys/health?standbyok=true");
  if (!body.initialized || body.sealed) throw new Error(`initialized: ${body.initialized}, sealed: ${body.sealed}`);
  return `Vault ${body.version ?? ""}`;
}

export const secretChecks: readonly Check[] = [
  { id: "002.16", title: "Vault is open", run: open },
  { id: "000.9", title: "no secret of Vault is in a ConfigMap, a pod or another object", run: notInObjects },
  { id: "000.9", title: "no secret of Vault is in a log", run: notInLogs },
  { id: "000.9", title: "no secret of Vault is in the arguments of a process", run: notInArguments },
  { id: "001.15", title: "no secret of Vault is in the state in plain text", run: notInState },
  { id: "000.10", title: "the pull secret is what a kubelet understands, from Vault", run: pullSecret },
  { id: "003.16", title: "every secret of Vault that is asked for is synced", run: synced },
  { id: "003.18", title: "each reader of Vault reads its own paths, and nothing else", run: ownPathOnly },
  { id: "003.18", title: "an account of a reader's name in another namespace is refused", run: ownNamespaceOnly },
  { id: "004.12", title: "no Secret holds a token of Vault", run: noToken },
  { id: "004.21", title: "every Secret of the applications comes from Vault, or is a certificate", run: fromVault },
];
