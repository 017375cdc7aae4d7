import { type Answer, ask } from "../checks/web";
import { type StateResource, isLive, opened } from "./state";

type Data = Readonly<Record<string, unknown>>;

/** How a kind of object is found in Vault, and what of it is compared: what the program says under the same name. */
interface Place {
  readonly kind: string;
  readonly name: (inputs: Data) => string;
  readonly url: (inputs: Data) => string;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const PLACES: Readonly<Record<string, Place>> = {
  "vault:index/policy:Policy": {
    kind: "VaultPolicy",
    name: ({ name }) => text(name),
    url: ({ name }) => `sys/policies/acl/${text(name)}`,
  },
  "vault:kubernetes/authBackendRole:AuthBackendRole": {
    kind: "VaultRole",
    name: ({ roleName }) => text(roleName),
    url: ({ backend, roleName }) => `auth/${text(backend)}/role/${text(roleName)}`,
  },
  "vault:index/mount:Mount": {
    kind: "VaultMount",
    name: ({ path }) => text(path),
    url: ({ path }) => `sys/mounts/${text(path)}`,
  },
};

/** Vault's own since they were put there: what is in them now is no drift (ADR 17). */
const VAULTS = ["vault:kv/secretV2:SecretV2"];

export interface VaultObject {
  readonly urn: string;
  readonly kind: string;
  readonly name: string;
  readonly url: string;
  readonly inputs: Data;
}

export interface VaultSubjects {
  /** Where the stack's Vault is; undefined where the state has none. */
  readonly address?: string;
  readonly objects: readonly VaultObject[];
  /** Types of objects that nobody here knows how to find. */
  readonly unknown: readonly string[];
}

export function vaultObjects(resources: readonly StateResource[]): VaultSubjects {
  const provider = resources.find(({ type }) => type === "pulumi:providers:vault");
  const address = text(opened(provider?.inputs?.address).value) || undefined;
  const all = resources.filter((each) => isLive(each) && each.type.startsWith("vault:") && !VAULTS.includes(each.type));
  const objects = all.flatMap(({ urn, type, inputs: wrapped }) => {
    const inputs = opened(wrapped ?? {}).value as Data;
    const place = PLACES[type];
    return place ? [{ urn, kind: place.kind, name: place.name(inputs), url: place.url(inputs), inputs }] : [];
  });
  return { address, objects, unknown: [...new Set(all.map(({ type }) => type).filter((type) => !(type in PLACES)))] };
}

export type AskVault = (url: string) => Promise<Answer>;

export const vaultAt =
  (address: string, token: string, ca: Buffer | undefined): AskVault =>
  (url) =>
    ask(new URL(`/v1/${url}`, address).href, { headers: { "x-vault-token": token }, ca, timeoutMs: 10_000 });

export interface VaultDifference {
  readonly field: string;
  readonly wanted: unknown;
  readonly found: unknown;
}

/** "gone", or the fields that differ. */
export async function vaultDifferences(
  { url, inputs, kind, name }: VaultObject,
  askVault: AskVault,
): Promise<"gone" | VaultDifference[]> {
  const { status, body } = await askVault(url);
  const missing = status === 404 || (status === 400 && /no secret engine mount/i.test(body));
  if (missing) return "gone";
  if (status !== 200) throw new Error(`Vault answers ${status} to whoever reads ${kind} ${name}: ${body.trim()}`);
  const { data = {} } = JSON.parse(body) as { data?: Data };
  return Object.entries(inputs).flatMap(([property, wanted]) => {
    const field = property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const found = data[field];
    return !(field in data) || plain(found) === plain(wanted) ? [] : [{ field, wanted, found }];
  });
}

/** Lists of Vault's are sets; of an engine's options those that it has by itself are strings too. */
function plain(value: unknown): string {
  if (Array.isArray(value)) return JSON.stringify(value.map(String).sort());
  if (typeof value === "object" && value !== null)
    return JSON.stringify(
      Object.entries(value)
        .map(([key, each]) => [key, String(each)])
        .sort(),
    );
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value.trim() : JSON.stringify(value);
}
