import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { exclusively } from "../toolchain/exclusive";

/** Names by address. */
export type Hosts = Readonly<Record<string, readonly string[]>>;

const FILE = "/etc/hosts";

const begin = (owner: string): string => `# begin platform ${owner}`;
const end = (owner: string): string => `# end platform ${owner}`;

export const hostLines = (hosts: Hosts): string[] =>
  Object.entries(hosts).map(([address, names]) => `${address} ${[...names].sort().join(" ")}`);

/** The text without what an owner wrote, or whoever is below it: "mine" owns "mine/dev" too. */
export function withoutHosts(text: string, owner: string): string {
  const kept: string[] = [];
  let until: string | undefined;
  for (const line of text.split("\n")) {
    const found = /^# begin platform (\S+)$/.exec(line)?.[1];
    if (until === undefined && found !== undefined && `${found}/`.startsWith(`${owner}/`)) until = end(found);
    if (until === undefined) kept.push(line);
    if (line === until) until = undefined;
  }
  return kept.join("\n");
}

/** The first line with a name counts, so whoever came up last is found, and goes before all others. */
export function withHosts(text: string, owner: string, hosts: Hosts): string {
  const rest = withoutHosts(text, owner);
  const block = [begin(owner), ...hostLines(hosts), end(owner), ""].join("\n");
  const others = rest.indexOf("# begin platform ");
  if (others >= 0) return rest.slice(0, others) + block + rest.slice(others);
  return `${rest}${rest === "" || rest.endsWith("\n") ? "" : "\n"}${block}`;
}

/** Whether this machine finds the names from now on: not everyone may write its file. */
export function writeHosts(owner: string, hosts: Hosts, file = FILE): Promise<boolean> {
  return change(file, (text) => withHosts(text, owner, hosts));
}

export function removeHosts(owner: string, file = FILE): Promise<boolean> {
  return change(file, (text) => withoutHosts(text, owner));
}

function change(file: string, to: (text: string) => string): Promise<boolean> {
  return exclusively(path.join(os.tmpdir(), `platform${file.replaceAll("/", "-")}.lock`), () => {
    try {
      const text = fs.readFileSync(file, "utf8");
      // In place: where the file is mounted by itself, as in containers, it cannot be replaced by another.
      const changed = to(text);
      if (changed !== text) fs.writeFileSync(file, changed);
      return Promise.resolve(true);
    } catch (error) {
      if (["EACCES", "EPERM", "EROFS", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? ""))
        return Promise.resolve(false);
      throw error;
    }
  });
}
