import * as path from "node:path";
import type { DownloadFile } from "./lock";
import { type Platform, fillTemplate, platformKey } from "./platform";
import { fetchText } from "./download";

const ALGORITHMS: Readonly<Record<number, string>> = { 40: "sha1", 64: "sha256", 128: "sha512" };

interface Checksum {
  readonly algorithm: string;
  readonly value: string;
}

export interface Expected extends Checksum {
  /** The lock, or the address of upstream's list. */
  readonly from: string;
}

/** Whether a file can be checked on this platform at all; what cannot is never downloaded. */
export function canBeChecked(file: DownloadFile, platform: Platform): boolean {
  return file.checksums !== undefined || isCommitted(file, platform);
}

export function isCommitted(file: DownloadFile, platform: Platform): boolean {
  return committedSum(file, platform) !== undefined;
}

function committedSum({ sha256 }: DownloadFile, platform: Platform): string | undefined {
  return sha256?.[platformKey(platform)] ?? sha256?.["any"];
}

/** What a file has to hash to: the committed sum, or for platforms without one the sum in upstream's own list. */
export async function expectedChecksum(
  file: DownloadFile,
  version: string,
  platform: Platform,
  origin: string | undefined,
): Promise<Expected> {
  const committed = committedSum(file, platform);
  if (committed) return { algorithm: "sha256", value: committed, from: "toolchain/lock.json" };
  const url = fillTemplate(file.url, version, platform);
  if (!file.checksums)
    throw new Error(
      `toolchain/lock.json holds no sha256 of ${url} for ${platformKey(platform)}, nor where upstream lists it`,
    );
  const list = fillTemplate(file.checksums, version, platform);
  const name = path.posix.basename(new URL(url).pathname);
  const found = findChecksum(await fetchText(list, origin), name);
  if (!found) throw new Error(`${list}: lists no checksum of ${name}`);
  return { ...found, from: list };
}

/**
 * Reads the forms in use: "SUM  name", "SUM *./name", "SHA256 (name) = SUM", and a file that holds one bare sum.
 * The length tells the algorithm: Pulumi's plugins are listed with SHA-1.
 */
export function findChecksum(text: string, name: string): Checksum | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  for (const line of lines) {
    const listed =
      /^([0-9a-fA-F]+)\s+\*?(\S+)$/.exec(line) ?? reversed(/^SHA\d+ \((.+)\) = ([0-9a-fA-F]+)$/.exec(line));
    const checksum = listed && path.posix.basename(listed[2] ?? "") === name && checksumOf(listed[1] ?? "");
    if (checksum) return checksum;
  }
  const words = lines.filter((line) => line !== "");
  return words.length === 1 ? checksumOf(words[0] ?? "") : undefined;
}

function checksumOf(value: string): Checksum | undefined {
  const algorithm = /^[0-9a-fA-F]+$/.test(value) ? ALGORITHMS[value.length] : undefined;
  return algorithm === undefined ? undefined : { algorithm, value: value.toLowerCase() };
}

function reversed(match: RegExpExecArray | null): string[] | undefined {
  return match ? [match[0], match[2] ?? "", match[1] ?? ""] : undefined;
}
