import * as fs from "node:fs";
import * as path from "node:path";
import * as zlib from "node:zlib";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const STORED = 0;
const DEFLATED = 8;

/** Unpacks a zip archive (HashiCorp's form of release): `unzip` is not on every machine, zlib is in Node. */
export function unzip(archive: string, destination: string): void {
  const data = fs.readFileSync(archive);
  const end = data.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || data.readUInt32LE(end) !== END_OF_DIRECTORY) throw new Error(`${archive}: not a zip archive`);
  let at = data.readUInt32LE(end + 16);
  for (let count = data.readUInt16LE(end + 10); count > 0; count--) {
    if (data.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error(`${archive}: damaged directory at byte ${at}`);
    const nameLength = data.readUInt16LE(at + 28);
    const name = data.toString("utf8", at + 46, at + 46 + nameLength);
    unpackEntry(data, at, safePath(archive, destination, name), name);
    at += 46 + nameLength + data.readUInt16LE(at + 30) + data.readUInt16LE(at + 32);
  }
}

function unpackEntry(data: Buffer, at: number, file: string, name: string): void {
  if (name.endsWith("/")) {
    fs.mkdirSync(file, { recursive: true });
    return;
  }
  const method = data.readUInt16LE(at + 10);
  const size = data.readUInt32LE(at + 20);
  const mode = (data.readUInt32LE(at + 38) >>> 16) & 0o777;
  const local = data.readUInt32LE(at + 42);
  const start = local + 30 + data.readUInt16LE(local + 26) + data.readUInt16LE(local + 28);
  const packed = data.subarray(start, start + size);
  if (method !== STORED && method !== DEFLATED)
    throw new Error(`${name}: zip compression method ${method} is not supported`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, method === STORED ? packed : zlib.inflateRawSync(packed), { mode: mode || 0o644 });
}

function safePath(archive: string, destination: string, name: string): string {
  const file = path.resolve(destination, name);
  if (!file.startsWith(`${path.resolve(destination)}${path.sep}`))
    throw new Error(`${archive}: entry "${name}" leads outside`);
  return file;
}
