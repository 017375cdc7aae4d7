import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stand } from "../../checks/stand";
import { askVault, deployerToken } from "../../checks/vault";
import { KV } from "../../components/secretsPlatform/settings";
import { UsageError } from "../errors";
import type { Credential } from "./credentials";
import { type Door, doorsTo } from "./doors";
import { type Readers, type Sync, bring, holds, readersOf, syncsOf, until, wake } from "./objects";

type Values = Readonly<Record<string, string>>;

const LENGTH = 32;
const SERVERS_MS = 150_000;
const CLIENTS_MS = 180_000;
/** Applications look at their files every three seconds. */
const NOTICE_MS = 5000;

/**
 * Gives a credential a new value and sees it through: servers take it beside the former one, clients have it, the former one is
 * refused. It keeps no notes: what is in Vault, and whom the servers let in, says where an earlier run was cut off.
 */
export class Rotation {
  private constructor(
    private readonly stand: Stand,
    private readonly credential: Credential,
    private readonly say: (line: string) => void,
    private readonly doors: readonly Door[],
    private readonly servers: readonly Sync[],
    private readonly clients: readonly Sync[],
  ) {}

  static async of(stand: Stand, credential: Credential, say: (line: string) => void): Promise<Rotation> {
    const { namespaces } = await stand.outputs();
    const syncs = await syncsOf(stand, credential.path);
    const [servers, clients] = [true, false].map((inside) =>
      syncs.filter(({ metadata }) => (metadata.namespace === namespaces.data) === inside),
    );
    return new Rotation(stand, credential, say, await doorsTo(stand, credential.at), servers ?? [], clients ?? []);
  }

  async run(): Promise<void> {
    const readers = await readersOf(this.stand, this.clients);
    const { values, former } = await this.began(readers);
    const [first] = this.credential.properties;
    const now = values[first] ?? "";
    if (this.credential.at.kind === "redis") {
      await this.toServers(now);
      await this.toClients(readers, now);
    } else {
      // A role has one password: clients that have both find in.
      await this.toClients(readers, now);
      await this.toServers(now);
    }
    for (const door of this.doors) await door.now("use");
    await sleep(NOTICE_MS);
    for (const door of this.doors) await door.now("retire");
    if (!(await this.all(now, true))) throw new Error(`a server refuses the new ${this.credential.name}: run it again`);
    if (former !== undefined && !(await this.all(former, false)))
      throw new Error(`a server still takes the former ${this.credential.name}: run it again`);
    this.say("the servers take the new one, and refuse the former one");
  }

  /** The new values; those of an earlier run where that has not come to its end. */
  private async began(readers: Readers): Promise<{ values: Values; former?: string }> {
    const { properties } = this.credential;
    const { values, version } = await this.read();
    const [first] = properties;
    const before = version > 1 ? (await this.read(version - 1).catch(() => undefined))?.values[first] : undefined;
    if (
      before !== undefined &&
      before !== values[first] &&
      (await this.isUnderWay(readers, values[first] ?? "", before))
    ) {
      this.say(
        `version ${version} is in Vault, and not everywhere yet: it is brought to its end, and no other is made`,
      );
      return { values, former: before };
    }
    if (readers.deaf.length > 0)
      throw new UsageError(
        `${readers.deaf.map(({ metadata }) => metadata.name).join(", ")} would be locked out: it has its password by its environment only. Let its application have passwordFiles, or change the value in Vault and restart it. Nothing was changed`,
      );
    const made = Object.fromEntries(properties.map((property) => [property, generated()]));
    await this.write({ ...values, ...made }, version);
    this.say(`version ${version + 1} is in Vault`);
    return { values: { ...values, ...made }, former: values[first] };
  }

  private async isUnderWay(readers: Readers, now: string, before: string): Promise<boolean> {
    if (!(await this.all(now, true)) || !(await this.all(before, false))) return true;
    const held = await Promise.all(readers.holders.map((holder) => holds(this.stand, holder, now, 0)));
    return held.includes(false);
  }

  private async toServers(value: string): Promise<void> {
    for (const sync of this.servers) await bring(this.stand, sync, value);
    await wake(
      this.stand,
      this.doors.map(({ pod }) => pod),
    );
    await until("the servers take the new one", SERVERS_MS, async () => {
      if (await this.all(value, true)) return true;
      for (const door of this.doors) await door.now("take");
      return this.all(value, true);
    });
    this.say("the servers take it");
  }

  private async toClients({ holders }: Readers, value: string): Promise<void> {
    if (this.clients.length === 0) return;
    for (const sync of this.clients) await bring(this.stand, sync, value);
    const since = Date.now();
    await wake(
      this.stand,
      holders.map(({ pod }) => pod),
    );
    for (const holder of holders)
      await until(`${holder.pod.metadata.name} has the new one`, CLIENTS_MS, () =>
        holds(this.stand, holder, value, since),
      );
    this.say(`${holders.length} pods of clients have it`);
  }

  private async all(password: string, answer: boolean): Promise<boolean> {
    const answers = await Promise.all(this.doors.map((door) => door.accepts(password)));
    return answers.every((each) => each === answer);
  }

  private async read(version?: number): Promise<{ values: Values; version: number }> {
    const { path } = this.credential;
    const query = version === undefined ? "" : `?version=${version}`;
    const { status, body } = await askVault(this.stand, "GET", `${KV}/data/${path}${query}`, await this.token());
    const { data, metadata } = (body.data ?? {}) as { data?: Values; metadata?: { version: number } };
    if (status !== 200 || !data || !metadata) throw new Error(`Vault answers ${status} to whoever reads ${path}`);
    return { values: data, version: metadata.version };
  }

  /** Unless somebody else has changed it meanwhile. */
  private async write(data: Values, version: number): Promise<void> {
    const { path } = this.credential;
    const body = { options: { cas: version }, data };
    const { status } = await askVault(this.stand, "POST", `${KV}/data/${path}`, await this.token(), body);
    if (status !== 200) throw new Error(`Vault answers ${status} to whoever writes ${path}: was it changed meanwhile?`);
  }

  private token = (): Promise<string> => deployerToken(this.stand);
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Letters and digits, as the first one was. */
function generated(): string {
  let text = "";
  while (text.length < LENGTH)
    // A byte beyond the last whole alphabet would favour its beginning.
    for (const byte of randomBytes(LENGTH)) if (byte < 248 && text.length < LENGTH) text += ALPHABET[byte % 62];
  return text;
}
