import { execFile, spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import type { Layer } from "./layer";
import { tar } from "./tar";

export const MEDIA = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** A layer in the store: the descriptor names the compressed bytes, `diffId` the archive inside. */
export interface StoredLayer extends Descriptor {
  diffId: string;
}

/** What a tag points at, and the recipe it was made by: a ref with another recipe hash is out of date. */
export interface StoredRef {
  repository: string;
  tag: string;
  digest: string;
  mediaType: string;
  recipe: string;
  /** Name and version of what went in, for people who ask what an image holds. */
  inputs: Record<string, string>;
  layers: StoredLayer[];
}

const WEEK_MS = 7 * 24 * 3600 * 1000;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Content-addressed blobs and the tags that name them. Every write is a rename, so two runs at once or a kill leave no half file. */
export class OciStore {
  constructor(readonly root: string) {}

  blobPath(digest: string): string {
    if (!DIGEST.test(digest)) throw new Error(`"${digest}" is not a sha256 digest`);
    return join(this.root, "blobs", "sha256", digest.slice("sha256:".length));
  }

  refPath(repository: string, tag: string): string {
    return join(this.root, "refs", repositoryPath(repository), `${tag}.json`);
  }

  async readRef(repository: string, tag: string): Promise<StoredRef | undefined> {
    const text = await readFile(this.refPath(repository, tag), "utf8").catch(absent);
    return text === undefined ? undefined : (JSON.parse(text) as StoredRef);
  }

  async writeRef(ref: StoredRef): Promise<void> {
    await this.#place(this.refPath(ref.repository, ref.tag), JSON.stringify(ref, null, 2) + "\n");
  }

  /** True when the image's manifest, config and layers are all here at their full size; they then count as used today. */
  async isWhole(digest: string): Promise<boolean> {
    const text = await readFile(this.blobPath(digest), "utf8").catch(absent);
    if (text === undefined) return false;
    const manifest = JSON.parse(text) as { config: Descriptor; layers: Descriptor[] };
    const now = new Date();
    const sizes = [manifest.config, ...manifest.layers].map(async (part) => {
      const path = this.blobPath(part.digest);
      const found = await stat(path).catch(absent);
      if (found?.size === part.size) await utimes(path, now, now).catch(absent);
      return found?.size === part.size;
    });
    return (await Promise.all(sizes)).every(Boolean);
  }

  async putJson(mediaType: string, value: unknown): Promise<Descriptor> {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (!existsSync(this.blobPath(digest))) await this.#place(this.blobPath(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  }

  async putLayer(layer: Layer): Promise<StoredLayer> {
    const unfinished = this.#unfinished(join(this.root, "blobs", "layer"));
    await mkdir(dirname(unfinished), { recursive: true });
    try {
      const { diffId, digest, size } = await writeCompressed(layer, unfinished);
      await mkdir(dirname(this.blobPath(digest)), { recursive: true });
      await rename(unfinished, this.blobPath(digest));
      return { mediaType: MEDIA.layer, digest, size, diffId };
    } finally {
      await rm(unfinished, { force: true });
    }
  }

  /** A text file as it is in the topmost of the layers that has it. */
  async readFile(layers: StoredLayer[], path: string): Promise<string> {
    for (const layer of [...layers].reverse()) {
      const args = ["--extract", "--gzip", "--to-stdout", "--file", this.blobPath(layer.digest), path];
      const found = await promisify(execFile)("tar", args).catch(() => undefined);
      if (found) return found.stdout;
    }
    throw new Error(`none of the layers ${layers.map((layer) => layer.digest).join(", ")} has ${path}`);
  }

  /** Deletes what no tag names and nobody has used for a while; a cluster may still run what was replaced today. */
  async prune(unusedForMs = WEEK_MS): Promise<void> {
    const named = new Set<string>();
    for (const file of await readdir(join(this.root, "refs"), { recursive: true })) {
      if (!file.endsWith(".json")) continue;
      const { digest, layers } = JSON.parse(await readFile(join(this.root, "refs", file), "utf8")) as StoredRef;
      const manifest = await readFile(this.blobPath(digest), "utf8").catch(absent);
      if (manifest !== undefined) named.add((JSON.parse(manifest) as { config: Descriptor }).config.digest);
      for (const name of [digest, ...layers.map((layer) => layer.digest)]) named.add(name);
    }
    for (const folder of ["blobs", "blobs/sha256"]) {
      for (const name of await readdir(join(this.root, folder))) {
        const path = join(this.root, folder, name);
        const found = await stat(path).catch(absent);
        if (!found?.isFile() || named.has(`sha256:${name}`) || Date.now() - found.mtimeMs < unusedForMs) continue;
        await rm(path, { force: true });
      }
    }
  }

  async #place(path: string, content: string | Buffer): Promise<void> {
    const unfinished = this.#unfinished(path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(unfinished, content);
    await rename(unfinished, path);
  }

  #unfinished(path: string): string {
    return `${path}.${randomUUID()}.unfinished`;
  }
}

/** The part of a repository name that a registry sees: what comes after the host. */
export function repositoryPath(repository: string): string {
  const slash = repository.indexOf("/");
  const first = repository.slice(0, Math.max(slash, 0));
  return /[.:]|^localhost$/.test(first) ? repository.slice(slash + 1) : repository;
}

/**
 * Compressed by gzip(1), not by Node's zlib: the latter's output differs between Node releases and processors, and the
 * same sources must give the same digest on every machine.
 */
async function writeCompressed(layer: Layer, to: string): Promise<{ diffId: string; digest: string; size: number }> {
  const inner = createHash("sha256");
  const outer = createHash("sha256");
  let size = 0;
  const gzip = spawn("gzip", ["--no-name", "-6"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve, reject) => {
    gzip.once("error", (cause) =>
      reject(new Error("cannot run gzip, which compresses image layers: install it", { cause })),
    );
    gzip.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`gzip ended with code ${code} writing ${to}`)),
    );
  });
  const input = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of tar(layer.entries())) {
      inner.update(chunk);
      yield chunk;
    }
  };
  const output = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      outer.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  try {
    await Promise.all([
      ended,
      pipeline(Readable.from(input()), gzip.stdin),
      pipeline(gzip.stdout, output, createWriteStream(to)),
    ]);
  } finally {
    gzip.kill();
  }
  return { diffId: `sha256:${inner.digest("hex")}`, digest: `sha256:${outer.digest("hex")}`, size };
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code === "ENOENT") return undefined;
  throw cause;
}
