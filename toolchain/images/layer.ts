import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

export interface Attributes {
  mode?: number;
  uid?: number;
  gid?: number;
}

export type LayerEntry = { path: string; mode: number; uid: number; gid: number } & (
  | { kind: "directory" }
  | { kind: "file"; size: number; content: Buffer | { file: string } }
  | { kind: "symlink"; target: string }
  | { kind: "hardlink"; target: string }
);

/** The files of one image layer, gathered in any order and read back in one: the order on disk must not reach the digest. */
export class Layer {
  readonly #entries = new Map<string, LayerEntry>();

  directory(path: string, attributes: Attributes = {}): this {
    return this.#put({ kind: "directory", ...place(path, 0o755, attributes) });
  }

  /** A file with the given text or bytes. */
  file(path: string, content: string | Buffer, attributes: Attributes = {}): this {
    const bytes = Buffer.from(content);
    return this.#put({ kind: "file", size: bytes.length, content: bytes, ...place(path, 0o644, attributes) });
  }

  /** A file read from this machine when the layer is written. */
  copy(path: string, from: string, attributes: Attributes = {}): this {
    const { size } = lstatSync(from);
    return this.#put({ kind: "file", size, content: { file: from }, ...place(path, 0o644, attributes) });
  }

  symlink(path: string, target: string): this {
    return this.#put({ kind: "symlink", target, ...place(path, 0o777, {}) });
  }

  /**
   * Everything below a directory of this machine with its modes and owners, or all owned by `owner`; `keep` sees paths
   * relative to it and may leave out whole branches. Sockets and devices stay behind: a container gets its own.
   */
  tree(
    to: string,
    from: string,
    keep: (path: string) => boolean = () => true,
    owner?: { uid: number; gid: number },
  ): this {
    const firstOf = new Map<string, string>();
    const walk = (directory: string): void => {
      for (const name of readdirSync(join(from, directory)).sort()) {
        const path = directory ? `${directory}/${name}` : name;
        if (!keep(path)) continue;
        const stat = lstatSync(join(from, path));
        const attributes = { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, ...owner };
        const target = `${to}/${path}`;
        if (stat.isDirectory()) {
          this.directory(target, attributes);
          walk(path);
        } else if (stat.isSymbolicLink()) {
          this.symlink(target, readlinkSync(join(from, path)));
        } else if (stat.isFile()) {
          const inode = `${stat.dev}:${stat.ino}`;
          const first = firstOf.get(inode);
          if (first !== undefined) this.#put({ kind: "hardlink", target: first, ...place(target, 0o644, attributes) });
          else this.copy(target, join(from, path), attributes);
          if (stat.nlink > 1 && first === undefined) firstOf.set(inode, place(target, 0, {}).path);
        }
      }
    };
    walk("");
    return this;
  }

  /** Entries in the order of a sorted walk: parents come first, and a hard link after the file it repeats. */
  entries(): LayerEntry[] {
    const rank = (entry: LayerEntry): string => entry.path.replaceAll("/", "\0");
    return [...this.#entries.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }

  #put(entry: LayerEntry): this {
    const slash = entry.path.lastIndexOf("/");
    const parent = entry.path.slice(0, Math.max(slash, 0));
    if (parent !== "" && !this.#entries.has(parent)) this.directory(parent);
    this.#entries.set(entry.path, entry);
    return this;
  }
}

function place(path: string, mode: number, attributes: Attributes): Pick<LayerEntry, "path" | "mode" | "uid" | "gid"> {
  const inside = path.replace(/^\/+|\/+$/g, "");
  if (inside === "" || inside.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw new Error(`"${path}" is not a path inside an image: give an absolute path without "." or ".." parts`);
  }
  return { path: inside, mode: attributes.mode ?? mode, uid: attributes.uid ?? 0, gid: attributes.gid ?? 0 };
}
