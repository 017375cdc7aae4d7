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
   * Everything below a directory with its modes and owners; `keep` sees paths relative to it and may leave out whole
   * branches. Sockets and devices are left out: a container gets its own.
   */
  tree(from: string, keep: (path: string) => boolean = () => true, owner?: { uid: number; gid: number }): this {
    const seen = new Map<string, string>();
    const walk = (relative: string): void => {
      for (const name of readdirSync(join(from, relative)).sort()) {
        const path = relative ? `${relative}/${name}` : name;
        if (!keep(path)) continue;
        const source = join(from, path);
        const stat = lstatSync(source);
        const attributes = { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, ...owner };
        const inode = `${stat.dev}:${stat.ino}`;
        const twin = seen.get(inode);
        if (stat.isDirectory()) {
          this.directory(path, attributes);
          walk(path);
        } else if (stat.isSymbolicLink()) {
          this.#put({
            kind: "symlink",
            target: readlinkSync(source),
            ...place(path, 0o777, { ...attributes, mode: 0o777 }),
          });
        } else if (stat.isFile() && twin !== undefined) {
          this.#put({ kind: "hardlink", target: twin, ...place(path, 0o644, attributes) });
        } else if (stat.isFile()) {
          if (stat.nlink > 1) seen.set(inode, path);
          this.copy(path, source, attributes);
        }
      }
    };
    walk("");
    return this;
  }

  /** Entries sorted by path, so parents come first; a hard link follows its target because a walk meets the target first. */
  entries(): LayerEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
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
