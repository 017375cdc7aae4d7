import * as path from "node:path";
import type { DownloadFile } from "./lock";
import { type Platform, fillTemplate, platformKey } from "./platform";
import { fetchText } from "./download";

export interface Expected {
  readonly sha256: string;
  /** The lock, or the address of upstream's list. */
  readonly from: string;
}

/** What a file has to hash to: the committed sum, or for platforms without one the sum in upstream's own list. */
export async function expectedChecksum(
  file: DownloadFile,
  version: string,
  platform: Platform,
  origin: string | undefined,
): Promise<Expected> {
  const committed = file.sha256?.[platformKey(platform)];
  if (committed) return { sha256: committed, from: "toolchain/lock.json" };
  const url = fillTemplate(file.url, version, platform);
  if (!file.checksums)
    throw new Error(
      `toolchain/lock.json holds no sha256 of ${url} for ${platformKey(platform)}, nor where upstream lists it`,
    );
  const list = fillTemplate(file.checksums, version, platform);
  const name = path.posix.basename(new URL(url).pathname);
  const sha256 = findChecksum(await fetchText(list, origin), name);
  if (!sha256) throw new Error(`${list}: lists no SHA-256 of ${name}`);
  return { sha256, from: list };
}

/** Reads the forms in use: "SUM  name", "SUM *./name", "SHA256 (name) = SUM", and a file that holds one bare sum. */
export function findChecksum(text: string, name: string): string | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  for (const line of lines) {
    const listed =
      /^([0-9a-fA-F]{64})\s+\*?(.+)$/.exec(line) ?? reversed(/^SHA256 \((.+)\) = ([0-9a-fA-F]{64})$/.exec(line));
    if (listed && path.posix.basename(listed[2] ?? "") === name) return listed[1]?.toLowerCase();
  }
  const bare = lines.filter((line) => line !== "");
  return bare.length === 1 && /^[0-9a-fA-F]{64}$/.test(bare[0] ?? "") ? bare[0]?.toLowerCase() : undefined;
}

function reversed(match: RegExpExecArray | null): string[] | undefined {
  return match ? [match[0], match[2] ?? "", match[1] ?? ""] : undefined;
}
