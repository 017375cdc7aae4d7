import * as path from "node:path";
import { AUDIENCE, KV, LOGIN } from "../components/secretsPlatform/settings";
import { run } from "./command";
import { Skip } from "./check";
import { settled } from "./probe";
import type { Stand } from "./stand";
import { type Answer, type Question, ask } from "./web";

export interface Secret {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
  readonly data?: Readonly<Record<string, string>>;
}

export const decodedData = ({ data = {} }: Secret): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));

export interface VaultAnswer {
  readonly status: number;
  readonly body: {
    readonly auth?: { readonly client_token: string; readonly lease_duration: number };
    readonly data?: { readonly data?: Readonly<Record<string, string>>; readonly keys?: readonly string[] };
    readonly sealed?: boolean;
    readonly initialized?: boolean;
    readonly version?: string;
    readonly leader_address?: string;
  };
}

function addressOf(stand: Stand): string {
  const url = stand.target.vaults?.[stand.stack]?.url;
  if (!url) throw new Skip(`the target names no way to the Vault of ${stand.stack}`);
  return url;
}

/** A server that stands by sends its callers away, or fails, while it does not know to whom to pass them on. */
const WITHOUT_LEADER = [307, 500];

export async function askVault(
  stand: Stand,
  method: string,
  url: string,
  token?: string,
  body?: object,
): Promise<VaultAnswer> {
  const question: Question = {
    method,
    headers: token ? { "x-vault-token": token } : {},
    body: body && JSON.stringify(body),
    ca: stand.trust,
    timeoutMs: 15_000,
  };
  const look = (): Promise<Answer> => ask(new URL(`/v1/${url}`, addressOf(stand)).href, question);
  const answer = await settled(look, ({ status }) => !WITHOUT_LEADER.includes(status));
  return { status: answer.status, body: JSON.parse(answer.body || "{}") as VaultAnswer["body"] };
}

/** As the shell of `npm run env` logs in to the Vault at an address. */
export async function vaultToken(root: string, env: NodeJS.ProcessEnv, address: string): Promise<string> {
  const helper = path.join(root, "commands/vaultToken.mjs");
  const { out, err, code } = await run(helper, ["get"], { env: { ...env, VAULT_ADDR: address } });
  if (code !== 0) throw new Error(err.trim());
  return out;
}

export const deployerToken = (stand: Stand): Promise<string> =>
  stand.once("deployer's token", () => vaultToken(stand.root, stand.env, addressOf(stand)));

/** Logs in as a ServiceAccount, for as long as a check takes. */
export async function loginAs(stand: Stand, role: string, account: string, namespace: string): Promise<VaultAnswer> {
  const args = ["create", "token", account, "-n", namespace, "--audience", AUDIENCE, "--duration", "10m"];
  const jwt = (await stand.kubectl(args)).trim();
  return askVault(stand, "POST", `auth/${LOGIN}/login`, undefined, { role, jwt });
}

export async function readKept(stand: Stand, token: string, name: string): Promise<Readonly<Record<string, string>>> {
  const { status, body } = await askVault(stand, "GET", `${KV}/data/${name}`, token);
  if (status !== 200) throw new Error(`Vault answers ${status} to whoever reads ${name}: ${JSON.stringify(body)}`);
  return body.data?.data ?? {};
}

async function list(stand: Stand, token: string, folder: string): Promise<string[]> {
  const { status, body } = await askVault(stand, "GET", `${KV}/metadata/${folder}?list=true`, token);
  if (status !== 200) throw new Error(`Vault answers ${status} to whoever lists "${folder}": ${JSON.stringify(body)}`);
  const keys = (body.data?.keys ?? []).map((key) => folder + key);
  const below = keys.filter((key) => key.endsWith("/")).map((key) => list(stand, token, key));
  return [...keys.filter((key) => !key.endsWith("/")), ...(await Promise.all(below)).flat()];
}

/** Every path of the store. */
export const keptPaths = (stand: Stand): Promise<string[]> =>
  stand.once("kept paths", async () => list(stand, await deployerToken(stand), ""));
